//! The whole stack from outside, every part real.
//!
//! Most tests share one stack and have a person each; tests that stop a part have a stack of their
//! own.

mod accounts_pages;
mod foreign_client;
mod forgeries;
mod gate;
mod grants;
mod hand_back;
mod log;
mod messages;
mod mtls;
mod npm;
mod openapi;
mod outages;
mod pages;
mod relying_party;
mod restarts;
mod revocations;
mod rooms;
mod run_demo;
mod secrets;
mod sign_in;
mod signed_pages;
mod stage;
