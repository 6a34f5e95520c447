//! The promises of auth-connector, seen from its ports and its command line.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod check_config;
mod connector;
mod health;
mod login;
mod partitions;
mod prompt;
mod reference;
mod refresh;
mod revocations;
mod roles;
mod secrets;
mod seed;
mod sweep;
mod tls;
