//! How a service starts, is observed and stops.
//!
//! Both services share this crate and nothing else of their own. Here belongs what every service needs to
//! run; a domain word does not: no account, no room, no route, no table. What only tests share is in
//! `process-testing`.
//!
//! A service's `main` parses its configuration with [`cli`], opens its logs with [`telemetry`] and runs under
//! a [`lifecycle::Lifecycle`], with the clock and the randomness of [`sources`]. It serves HTTP through a
//! [`listener`], answers errors as a [`problem`], and is watched through the [`admin`] port. Its calls belong
//! to traces that cross processes by [`trace_context`], what it counts is defined with [`metrics`], and an
//! [`error_chain`] is how it logs an error. Commands answer through [`output`] and [`exit`], read what they
//! are handed with [`input`], [`address`] tells what is wrong with a connection string, and limits count each
//! [`network`] that somebody calls from, through [`proxies`] or not.
//!
//! A module uses only those beneath it:
//!
//! ```text
//! admin                     the admin port
//! lifecycle  listener  cli  a process, its HTTP listeners, its command line
//! telemetry  exit           logs, traces, the registry of metrics; exit codes
//! metrics  output  proxies  definitions of metrics; answers of commands; proxies and who calls through them
//! address  error_chain  input  network  problem  sources  trace_context
//! ```

pub mod address;
pub mod admin;
pub mod cli;
pub mod error_chain;
pub mod exit;
pub mod input;
pub mod lifecycle;
pub mod listener;
pub mod metrics;
pub mod network;
pub mod output;
pub mod problem;
pub mod proxies;
pub mod sources;
pub mod telemetry;
pub mod trace_context;
