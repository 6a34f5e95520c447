//! What is appended to the log, and what its readers make of every record that may stand in it.

mod append;
mod brokers;
mod dead_letters;
mod generations;
mod newer;
mod release_before;
mod repeats;
mod traces;
mod transactions;
mod two_releases;
