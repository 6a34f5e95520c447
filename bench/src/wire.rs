//! Clients that cost as little as can be: they share a processor with the servers behind the
//! service under test, and what they take is missing there.

pub(crate) mod dialect;
pub(crate) mod http;
pub(crate) mod listeners;
pub(crate) mod socket;
