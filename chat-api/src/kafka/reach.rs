//! Whether the brokers can be reached, and if not, why.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use tokio::time::Instant;

use super::LogError;
use super::log::{ASK_TIMEOUT, LAST_GENERATION, Log};

/// How long the first answer is waited for before it is looked at what the client library has met. Each later one is
/// waited for twice as long as the one before: it may be longer on its way than one look lasts.
const FIRST_LOOK: Duration = Duration::from_millis(100);
/// How long a poll waits for the next thing that was met. Not at all would end at a line of the library's log.
const NEXT: Duration = Duration::from_millis(1);
/// A name may have several addresses, such as `localhost`. The client library says that all brokers are away at the
/// first of them, and tries the others after this pause, in milliseconds, which doubles …
const RECONNECT_AFTER: &str = "10";
/// … so that five of them have been tried by then, and the last one has had half a second to answer.
const OTHER_ADDRESSES: Duration = Duration::from_secs(1);

/// The failures that the client library reports on its way to the brokers. Its own error says only
/// that there is none.
#[derive(Default)]
struct ReportedFailures(Mutex<Failures>);

#[derive(Default)]
struct Failures {
    /// The last failure, in the library's words, with the broker's address.
    last: Option<String>,
    /// No broker is left to be tried.
    everywhere: bool,
}

impl ClientContext for ReportedFailures {
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

impl ConsumerContext for ReportedFailures {}

/// What the brokers say of a topic, or of all. When all of them are away, that is known within two seconds and not
/// at the end of the time that one may take. Blocks.
pub(super) fn metadata(log: &Log, topic: Option<&str>) -> Result<Metadata, LogError> {
    let mut config = log.client();
    config.set("reconnect.backoff.ms", RECONNECT_AFTER);
    let consumer: BaseConsumer<ReportedFailures> =
        config.create_with_context(ReportedFailures::default())?;
    let (mut deadline, mut allowed) = (Instant::now() + ASK_TIMEOUT, FIRST_LOOK);
    loop {
        let error = match consumer.fetch_metadata(topic, allowed) {
            Ok(metadata) => return Ok(metadata),
            Err(error) => error,
        };
        // What was met is told while it is polled; what comes besides is that once more.
        while consumer.poll(NEXT).is_some() {}
        let mut met = consumer.context().0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if met.everywhere {
            deadline = deadline.min(now + OTHER_ADDRESSES);
        }
        if now >= deadline {
            return Err(match met.last.take() {
                Some(reason) => LogError::Unreachable(reason),
                None if met.everywhere => error.into(),
                None => LogError::Unreachable(format!("no answer in {} s", ASK_TIMEOUT.as_secs())),
            });
        }
        allowed = (allowed * 2).min(deadline - now).max(FIRST_LOOK);
    }
}

impl Log {
    /// The same log with the newest generation that there is. An error says which brokers were asked and
    /// what stood in the way. Blocks.
    pub fn newest(mut self) -> Result<Self, LogError> {
        let metadata = metadata(&self, None)?;
        let names: Vec<_> = metadata.topics().iter().map(MetadataTopic::name).collect();
        let first = format!("{}chat-messages.g", self.prefix);
        // Not of another form, such as `g07`: such a topic is somebody else's.
        let number = |text: &str| {
            let number: u16 = text.parse().ok()?;
            (number.to_string() == text).then_some(number)
        };
        let later = names.iter().filter_map(|name| number(name.strip_prefix(&first)?));
        self.generation = later.filter(|number| *number <= LAST_GENERATION).max().unwrap_or(0);
        Ok(self)
    }
}
