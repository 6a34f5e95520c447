//! Questions to Kafka, whose library blocks.

use crate::kafka::{Log, LogError, Partitioner};

/// Asks the log on a thread that may block.
pub(super) async fn ask(
    log: &Log,
    question: impl FnOnce(&Log) -> Result<Partitioner, LogError> + Send + 'static,
) -> anyhow::Result<Partitioner> {
    let asked = log.clone();
    Ok(tokio::task::spawn_blocking(move || question(&asked)).await??)
}
