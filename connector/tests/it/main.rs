//! The promises of auth-connector, seen from its ports and its command line.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod bad_input;
mod check_config;
#[path = "../../../process/tests/it/collector.rs"]
mod collector;
mod connector;
mod dashboards;
mod health;
mod login;
mod program;
mod prompt;
mod reference;
mod reflection;
mod refresh;
mod secrets;
mod seed;
mod tls;
mod traces;
