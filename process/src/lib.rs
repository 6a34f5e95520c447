//! How a service starts, is observed and stops.
//!
//! Both services share this crate and nothing else of their own. It knows no domain word: no
//! account, no room. A service's `main` parses its configuration with [`cli`], opens its logs with
//! [`telemetry`], runs under a [`lifecycle::Lifecycle`], serves HTTP through a [`listener`] and is watched
//! through the [`admin`] port. Its calls belong to traces that cross processes by [`trace_context`],
//! and what it counts is named by [`metrics`]. Commands answer through [`output`], take what they are
//! handed through [`input`], and [`address`] tells what is wrong with a server's.

pub mod address;
pub mod admin;
pub mod cli;
pub mod error_chain;
pub mod exit;
pub mod input;
pub mod lifecycle;
pub mod listener;
pub mod metrics;
pub mod output;
pub mod problem;
pub mod sources;
pub mod telemetry;
pub mod trace_context;
