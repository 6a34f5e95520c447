//! Starts the real servers for local use and for tests.
//!
//! One code path behind `./dev` and behind the tests of every crate: the same [`stack::Stack`] is
//! what `./dev up` supervises and what the end-to-end tests drive.
//!
//! Tests that only need a server ask [`shared`] for its address and own a database or a topic
//! prefix in it ([`name::unique`]); tests that stop or freeze a server start a private one
//! ([`postgres::Server`], [`kafka::Broker`], [`mongodb::ReplicaSet`], [`mail::Sink`]).

mod app_page;
mod background;
mod bench;
pub mod checkout;
pub mod cli;
pub mod cluster;
mod cluster_command;
pub mod console;
mod control;
pub mod dex;
pub mod endpoints;
mod fuzz;
mod http;
pub mod install;
pub mod issuer;
pub mod kafka;
pub mod keys;
mod layers;
mod logs;
pub mod mail;
pub mod mongodb;
pub mod name;
pub mod part;
pub mod pki;
pub mod ports;
pub mod postgres;
mod postgres_folders;
mod process;
pub mod program;
mod secrets;
pub mod shared;
pub mod signals;
mod sqlx_data;
pub mod stack;
mod status;
mod suites;
mod supervisor;
