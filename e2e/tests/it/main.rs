//! The whole stack from outside, every part real.
//!
//! Most tests share one stack and have a person each; tests that stop a part have a stack of their
//! own.

mod forgeries;
mod gate;
mod grants;
mod messages;
mod mtls;
mod outages;
mod pages;
mod relying_party;
mod restarts;
mod revocations;
mod run_demo;
mod secrets;
mod sign_in;
mod stage;
