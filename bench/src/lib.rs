//! Benchmarks of both services against ceilings and peers, as ratios in one run.
//!
//! Machines differ, so nothing here is held to an absolute rate: what is measured is divided by
//! what the same core does bare, in the same run, in turns. [`cli`] runs the benchmarks by name;
//! [`report`] prints what came out and keeps it under `docs/bench/`. The service under test is the
//! released program, in processes of its own ([`service`]), called as Dex calls it ([`caller`]).

mod accounts;
mod attack;
mod caller;
pub mod cli;
mod line;
mod load;
mod login;
mod pin;
mod report;
mod service;
mod stats;
mod usage;
