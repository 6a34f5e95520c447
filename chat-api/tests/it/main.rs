//! The chat backend from outside, on a real Kafka and a real MongoDB.
#![expect(
    clippy::disallowed_methods,
    reason = "tests have no lifecycle that could own their tasks, and read the clock themselves"
)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod api_document;
mod append;
mod archive;
mod archive_faults;
mod by_hand;
mod closing;
mod command;
mod connections;
mod corpora;
mod cors;
mod dashboards;
mod dead_letters;
mod dlq;
mod documents;
mod fixtures;
mod fleet;
mod foreign;
mod generations;
mod handshake;
mod health;
mod idempotency;
mod issuer;
mod message;
mod messages;
mod newer;
mod openapi;
mod options;
mod outage;
mod pages;
mod pongs;
mod properties;
mod rate;
mod reach;
mod reads;
mod reference;
mod repeats;
mod replicas;
mod resume;
mod settings;
mod setup;
mod socket;
mod socket_ends;
mod tokens;
mod topics;
mod traces;
mod transactions;
mod ws;
