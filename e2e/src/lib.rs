//! The whole stack from outside, as people and programs meet it.
//!
//! [`oidc::App`] is an app that asks Dex for tokens, [`browser::Browser`] what a person does on
//! Dex's pages meanwhile, [`webdriver::Chromium`] a real browser that shows them, [`accounts::Script`] calls the accounts
//! pages, [`chat::Chat`] and [`chat::Listener`] speak to the chat API,
//! [`archive::Archive`] looks into MongoDB and [`log`] into Kafka. [`demo`] puts them in a row; the tests use them one by
//! one. [`chat::client::Client`] is the reference client, and [`faults`] has many of them say and hear a lot while
//! parts of the stack are killed, and compares what they heard with the log. Nothing here knows how the services are
//! built.

pub mod accounts;
pub mod archive;
pub mod browser;
pub mod chat;
pub mod cluster;
pub mod demo;
pub mod faults;
pub mod log;
pub mod oidc;
pub mod wait;
pub mod wallet;
pub mod webdriver;
