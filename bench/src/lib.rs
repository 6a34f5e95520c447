//! Benchmarks of both services against ceilings and peers, as ratios in one run.
//!
//! Machines differ, so nothing here is held to an absolute rate: what is measured is divided by what the same core
//! does bare, in the same run, in turns. [`cli`] runs the benchmarks by name; [`report`] prints what came out and
//! keeps it under `docs/bench/`. The services under test are the released programs, in processes of their own.
//! auth-connector ([`service`]) is called as Dex calls it ([`caller`]), and its pages ([`accounts`]) as browsers do;
//! chat-api ([`chat`], [`rooms`]) by clients that cost little ([`wire`]), and compared with what its parts do bare
//! ([`ceilings`]) and with servers of others ([`peers`]).

mod accounts;
mod attack;
mod caller;
pub mod ceilings;
mod chat;
pub mod cli;
mod imported;
mod line;
mod load;
mod login;
mod peers;
mod pin;
mod report;
mod rooms;
mod scale;
mod scrape;
mod service;
mod stats;
mod usage;
mod wire;
