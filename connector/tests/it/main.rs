//! The promises of auth-connector, seen from its ports and its command line.
#![expect(clippy::disallowed_methods, reason = "tests are the outermost layer")]

mod accounts_pages;
mod commands;
mod corpora;
mod documents;
mod flows;
mod pages;
mod properties;
mod roles;
mod rpc;
mod setup;
mod worker;
