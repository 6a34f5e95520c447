//! A chat backend whose only way in is the log.
//!
//! A message comes in over REST or a socket, is parsed, appended to Kafka and then acknowledged.
//! Two independent readers of the same log carry it on: the *fan-out* of every replica into its
//! [`hub`] and from there to the sockets, and the *archive* into MongoDB, which history reads.

pub mod app;
pub mod archive;
pub mod auth;
pub mod backfill;
pub mod cli;
pub mod config;
pub mod guests;
pub mod http;
pub mod hub;
pub mod ingest;
pub mod kafka;
pub mod lookup;
pub mod markers;
pub mod message;
pub mod metrics;
pub mod notices;
pub mod people;
pub mod presence;
pub mod rate;
pub mod refusal;
pub mod room_loader;
pub mod rooms;
pub mod service;
pub mod session;
pub mod sockets;
pub mod typing;
pub mod visitor;
pub mod workers;
pub mod ws;
