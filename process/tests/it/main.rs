//! The promises of this crate, seen from outside a process that uses it.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod admin;
mod lifecycle;
mod listener;
mod reference;
mod service;
mod telemetry;
mod traces;
