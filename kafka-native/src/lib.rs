//! What librdkafka can do and the `rdkafka` crate does not pass on. The only unsafe code of the workspace
//! (`docs/adr/0010-…`, `0011-…` and `0017-…`).

mod client;
mod record;

pub use client::bootstrap_again;
pub use record::{Headers, Persisted, header, headers, persisted};
