//! The chat backend from outside, on a real Kafka and a real MongoDB.
#![expect(
    clippy::disallowed_methods,
    reason = "tests have no lifecycle that could own their tasks, and read the clock themselves"
)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod api_document;
mod append;
mod archive;
mod command;
mod cors;
mod health;
mod idempotency;
mod issuer;
mod message;
mod messages;
mod openapi;
mod outage;
mod rate;
mod reference;
mod replicas;
mod resume;
mod setup;
mod socket;
mod topics;
mod undecodable;
mod ws;
