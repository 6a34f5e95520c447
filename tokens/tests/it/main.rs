//! The verifier against a real issuer over HTTP, with keys of its own and a clock that the tests move.
#![expect(
    clippy::disallowed_methods,
    reason = "tests have no lifecycle that could own their tasks"
)]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod claims;
mod discovery;
mod format;
mod issuer;
mod keys;
mod memory;
mod outage;
mod secrecy;
mod setup;
mod signature;
mod signer;
