//! Starts a private MongoDB, prints its process id, and waits: for the test that kills it.

use std::path::Path;

use anyhow::{Context as _, Result};
use devstack::mongodb::ReplicaSet;
use devstack::part::State;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = std::env::args().nth(1).context("usage: hold DIRECTORY")?;
    let server = ReplicaSet::start_private(Path::new(&dir)).await?;
    if let State::Running(pid) = server.state() {
        devstack::console::say(pid.to_string());
    }
    std::future::pending().await
}
