//! Tokens as Dex makes them, for many people.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;
use service_process::sources::Sources;

use crate::ceilings::AUDIENCE;

/// How long tokens live: longer than any benchmark.
const LIFE_SECONDS: i64 = 12 * 60 * 60;

/// Serves for as long as it lives.
pub(crate) struct Issuer(devstack::issuer::Issuer);

impl Issuer {
    pub(crate) async fn start() -> Result<Self> {
        Ok(Self(devstack::issuer::Issuer::start().await?))
    }

    pub(crate) fn url(&self) -> &str {
        self.0.url()
    }

    /// A token for each of this many people.
    pub(crate) fn tokens(&self, people: usize) -> Result<Vec<String>> {
        let now = (Sources::system().now)().timestamp();
        let token = |n: usize| {
            self.0.sign(json!({
                "sub": format!("person-{n:06}"), "aud": AUDIENCE, "azp": "chat-app-frontend",
                "exp": now + LIFE_SECONDS, "iat": now, "name": format!("Person {n:06}"),
            }))
        };
        (0..people).map(token).collect()
    }

    /// Writes the public key as a JWK.
    pub(crate) fn write_key(&self, file: &Path) -> Result<()> {
        std::fs::write(file, self.0.public().to_string()).context("the key cannot be written")
    }
}
