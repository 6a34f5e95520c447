//! The routes of the public port, a file or folder each; what holds for all of them beside.

mod authentication;
mod connections;
mod cors;
mod fallback;
mod health;
mod messages;
mod openapi;
pub(crate) mod rooms;
mod socket;
