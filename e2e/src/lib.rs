//! The whole stack from outside, as people and programs meet it.
//!
//! [`oidc::App`] is an app that asks Dex for tokens, [`browser::Browser`] what a person does on
//! Dex's pages meanwhile, [`webdriver::Chromium`] a real browser that shows them, [`chat::Chat`] and [`chat::Listener`] speak to the chat API, and
//! [`archive::Archive`] looks into MongoDB. [`demo`] puts them in a row; the tests use them one by
//! one. Nothing here knows how the services are built.

pub mod archive;
pub mod browser;
pub mod chat;
pub mod demo;
pub mod oidc;
pub mod wait;
pub mod webdriver;
