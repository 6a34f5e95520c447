//! What is asked of the log before anything can be built.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::kafka::{Decoder, Log, LogError, ManualConsumer, MarkerTail, Partitioner};
use crate::message::Partition;
use crate::workers::Start;

/// How long a partition may be without a leader when the process starts.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between two looks at such a partition.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// What is asked of the log before anything can be built: its partitions, and where to read each.
pub(super) struct LogSurvey {
    pub(super) partitioner: Partitioner,
    pub(super) decoder: Decoder,
    pub(super) consumer: ManualConsumer,
    pub(super) starts: Vec<(Partition, Start)>,
    /// What is said of markers from now on.
    pub(super) markers: Arc<MarkerTail>,
}

/// Asks the log, also while a partition has no leader yet.
pub(super) async fn survey(
    log: &Log,
    span: i64,
    extra_kind: Option<&'static str>,
) -> anyhow::Result<LogSurvey> {
    let deadline = Instant::now() + ELECTION_TIMEOUT;
    loop {
        match survey_once(log, span, extra_kind).await {
            Err(error) if error.is_election() && Instant::now() < deadline => {
                sleep(LOOK_AGAIN).await;
            }
            surveyed => return surveyed.with_context(|| format!("KAFKA_BROKERS {}", log.brokers)),
        }
    }
}

/// Asks the log once for its partitions and for what each of them holds.
async fn survey_once(
    log: &Log,
    span: i64,
    extra_kind: Option<&'static str>,
) -> Result<LogSurvey, LogError> {
    let asked = log.clone();
    let ask = move || Ok::<_, LogError>((asked.partitioner()?, MarkerTail::new(&asked)?));
    let asked = tokio::task::spawn_blocking(ask).await;
    let (partitioner, markers) = asked.map_err(|_| LogError::Died)??;
    let decoder = Decoder::new(partitioner).with_extra_kind(extra_kind);
    let consumer = ManualConsumer::new(log, decoder)?;
    let ranges = consumer.ranges().await?;
    let start = |(partition, range)| (partition, Start::of(range, span));
    Ok(LogSurvey {
        partitioner,
        decoder,
        consumer,
        starts: ranges.into_iter().map(start).collect(),
        markers: Arc::new(markers),
    })
}
