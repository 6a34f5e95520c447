//! Whether the brokers can be reached, and if not, why.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use tokio::time::Instant;

use super::{ASK_TIMEOUT, Log, LogError};

/// Between two looks at what the client library has met. It goes on by itself meanwhile.
const LISTEN_EVERY: Duration = Duration::from_millis(100);

/// What the client library meets on its way to the brokers. Its own error says only that there is none.
#[derive(Default)]
struct Met(Mutex<Obstacles>);

#[derive(Default)]
struct Obstacles {
    /// The last one, in the library's words, with the broker's address.
    last: Option<String>,
    /// No broker is left to be tried.
    everywhere: bool,
}

impl ClientContext for Met {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "asking the brokers");
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            met.everywhere = true;
        } else {
            met.last = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Met {}

/// What the brokers say of a topic, or of all. When all of them are away, that is known at once and not at the end
/// of the time that one may take. Blocks.
pub(super) fn metadata(log: &Log, topic: Option<&str>) -> Result<Metadata, LogError> {
    let consumer: BaseConsumer<Met> = log.client().create_with_context(Met::default())?;
    let deadline = Instant::now() + ASK_TIMEOUT;
    loop {
        let error = match consumer.fetch_metadata(topic, LISTEN_EVERY) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        // What was met is told while it is polled; what comes besides is that once more.
        while consumer.poll(Duration::ZERO).is_some() {}
        let mut met = consumer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = Instant::now() >= deadline;
        if met.everywhere || over {
            let nothing_met = || format!("no answer in {} s", ASK_TIMEOUT.as_secs());
            return Err(match met.last.take() {
                None if !over => error.into(),
                reason => LogError::Unreachable(reason.unwrap_or_else(nothing_met)),
            });
        }
    }
}
