//! What librdkafka can do and the `rdkafka` crate does not pass on. The only unsafe code of the workspace
//! (`docs/adr/0010-…` and `0011-…`).

mod record;

pub use record::{Headers, Persisted, header, headers, persisted};
