//! The promises of auth-connector, seen from its ports and its command line.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod accounts_pages;
mod audit_tail;
mod bad_input;
mod check_config;
#[path = "../../../process/tests/it/collector.rs"]
mod collector;
mod commands;
mod connections;
mod connector;
mod corpora;
mod costs;
mod dashboards;
mod due_work;
mod enumeration;
#[path = "../../../process/tests/it/every_option.rs"]
mod every_option;
mod guard;
mod hang_ups;
mod health;
mod lockout;
mod login;
#[path = "../../../process/tests/it/dashboards.rs"]
mod observed;
mod options;
mod partitions;
mod passwords;
mod program;
mod prompt;
mod properties;
mod reach;
mod reference;
mod reflection;
mod refresh;
mod replica;
mod revocations;
mod roles;
mod secrets;
mod seed;
mod siege;
mod slow_store;
mod spellings;
mod sweep;
mod tls;
mod traces;
mod users;
