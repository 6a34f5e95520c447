//! The servers a test run shares: `./dev test` starts them and exports their addresses.

use anyhow::{Context as _, Result};

/// The superuser's DSN of the maintenance database (`POSTGRES_DSN`).
pub fn postgres_dsn() -> Result<String> {
    address("POSTGRES_DSN")
}

/// The bootstrap brokers (`KAFKA_BROKERS`).
pub fn kafka_brokers() -> Result<String> {
    address("KAFKA_BROKERS")
}

/// The replica set (`MONGODB_URI`).
pub fn mongodb_uri() -> Result<String> {
    address("MONGODB_URI")
}

fn address(variable: &str) -> Result<String> {
    given(variable).with_context(|| {
        format!("{variable} is not set: run ./dev test SUITE, which starts the servers")
    })
}

/// The address of a server that is already provided, if any.
pub(crate) fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
