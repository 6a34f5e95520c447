//! The chat backend from outside, on a real Kafka and a real MongoDB.
#![expect(
    clippy::disallowed_methods,
    reason = "tests have no lifecycle that could own their tasks, and read the clock themselves"
)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod archive;
mod commands;
mod corpora;
mod documents;
mod guests;
mod log;
mod markers;
mod people;
mod presence;
mod properties;
mod replicas;
mod rooms;
mod routes;
mod settings;
mod setup;
