//! The promises of this crate, seen from outside a process that uses it.

mod admin;
mod lifecycle;
mod service;
mod telemetry;
