//! Dead letters: records that cannot be stored, kept apart for people to look at.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::raw::{Cut, MAX_BYTES};
use super::{DecodeError, Decoder, Log, LogError, Raw, Scan};
use crate::message::{Cursor, Decoded, Head, Partition, Position};

/// The headers that a dead letter gets, after its own ones and in this order.
const HEADERS: [&str; 4] = ["dlq-reason", "dlq-topic", "dlq-partition", "dlq-offset"];

/// A record is acknowledged or given up within this time, as one of the log's is.
const DELIVERY_TIMEOUT_MS: &str = "5000";

/// Those that come before them if the record was too large to be kept: its bytes, and what its value was.
const CUT_HEADERS: [&str; 2] = ["dlq-size", "dlq-sha256"];

/// Writes dead letters, and takes them back into the log.
pub struct DeadLetters {
    log: Log,
    /// The one in use. It is made anew after a failure: whatever went wrong with the old one, such as
    /// a topic that it believes gone, ends with it.
    producer: Mutex<Option<FutureProducer>>,
}

/// A record of the topic with messages that is to become a dead letter.
#[derive(Debug, Clone, Copy)]
pub struct NewDeadLetter<'a> {
    /// Where it stands in its partition.
    pub position: Position,
    /// Why it cannot be stored, for people.
    pub reason: &'a str,
    /// The record, if it is at hand.
    pub raw: Option<&'a Raw>,
}

/// A dead letter as it stands in its topic.
#[derive(Debug)]
pub struct DeadLetter {
    /// The record it was, but for its place, which is now that of the dead letter.
    pub raw: Raw,
    /// Where it stood. `None` for a record that this program did not put here.
    pub origin: Option<Origin>,
    /// What it was, if it was too large to be kept.
    pub cut: Option<Cut>,
}

/// What a dead letter's headers tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Why it could not be stored.
    pub reason: String,
    /// The topic it stood in.
    pub topic: String,
    /// The partition it stood in.
    pub partition: Partition,
    /// Its place in that partition.
    pub position: Position,
}

/// Why a dead letter was not taken back.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// This version cannot read it either.
    #[error(transparent)]
    Undecodable(#[from] DecodeError),
    /// It was too large to be kept.
    #[error("it was not kept: it had {0} bytes")]
    NotKept(usize),
    /// A later release can.
    #[error("a later release wrote it: {0}")]
    Newer(Head),
    /// The log did not acknowledge it.
    #[error("no acknowledgement came: {0}")]
    Log(#[from] LogError),
}

impl DeadLetters {
    /// The dead letters of a log. Connects when the first one is written.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, producer: Mutex::new(None) }
    }

    /// Writes a record of the topic with messages to the dead letters, and waits for the word of all
    /// in-sync replicas on it. A repeat writes it again.
    pub async fn put(&self, raw: &Raw, reason: &str) -> Result<(), LogError> {
        match self.send(raw, reason).await {
            // What a header's name holds behind a zero is known to the client library alone.
            Err(LogError::TooLarge) => self.send(&raw.without_body(), reason).await,
            sent => sent,
        }
    }

    async fn send(&self, raw: &Raw, reason: &str) -> Result<(), LogError> {
        let (partition, offset) = (raw.partition.to_string(), raw.position.offset().to_string());
        let values = [reason, &self.log.messages(), &partition, &offset];
        let mut headers = raw.headers.clone().unwrap_or_default();
        if let Some(Cut { bytes, sha256 }) = &raw.cut {
            headers = add(headers, CUT_HEADERS.into_iter().zip([&*bytes.to_string(), sha256]));
        }
        headers = add(headers, HEADERS.into_iter().zip(values));
        // The same number: a room's dead letters keep their order, and stay apart from others'.
        self.append(&self.log.dead_letters(), raw.partition, raw, Some(headers)).await?;
        Ok(())
    }

    /// Writes records of one partition in their order. Says how many, from the first, are
    /// acknowledged, and why the next one is not.
    pub async fn put_all(
        &self,
        partition: Partition,
        records: &[NewDeadLetter<'_>],
    ) -> (usize, Option<LogError>) {
        let mut read = Vec::with_capacity(records.len());
        let mut failure = self.read_again(partition, records, &mut read).await.err();
        let puts = records.iter().zip(&read).filter_map(|(record, read)| {
            record.raw.or(read.as_ref()).map(|raw| self.put(raw, record.reason))
        });
        // Each is handed to the client library when it is first polled, so in this order.
        let put = join_all(puts).await;
        let acknowledged = put.iter().take_while(|put| put.is_ok()).count();
        failure = put.into_iter().find_map(Result::err).or(failure);
        (acknowledged, failure)
    }

    /// Reads those records that are not at hand, until one is not to be had.
    async fn read_again(
        &self,
        partition: Partition,
        records: &[NewDeadLetter<'_>],
        read: &mut Vec<Option<Raw>>,
    ) -> Result<(), LogError> {
        let mut scan = None;
        for NewDeadLetter { position, raw, .. } in records {
            let found = match (raw, &mut scan) {
                (Some(_), _) => None,
                (None, scan) => {
                    let scan = match scan {
                        Some(scan) => scan,
                        None => scan.insert(Scan::new(&self.log, self.log.messages())?),
                    };
                    let found = scan.record(partition, *position).await?;
                    Some(found.ok_or(LogError::Gone(partition, *position))?)
                }
            };
            read.push(found);
        }
        // Its end waits for the broker.
        let _ = tokio::task::spawn_blocking(move || drop(scan)).await;
        Ok(())
    }

    /// Appends a dead letter to the log anew, as it is, if it can be read now; says where it stands.
    /// Its headers stay, so that they tell where it has been.
    pub async fn replay(
        &self,
        letter: &DeadLetter,
        decoder: Decoder,
    ) -> Result<Cursor, ReplayError> {
        let raw = &letter.raw;
        if let Some(cut) = &letter.cut {
            return Err(ReplayError::NotKept(cut.bytes));
        }
        let read = |partition| decoder.decode(raw.key.as_deref(), raw.value.as_deref(), partition);
        // It gets a place of its own in any case, so a wrong one is no fault any more.
        let understood = match read(raw.partition) {
            Err(DecodeError::Misplaced(home)) => read(home)?,
            read => read?,
        };
        let envelope = match understood {
            Decoded::Known(envelope) => envelope,
            Decoded::Newer(newer) => return Err(ReplayError::Newer(newer.head)),
        };
        let partition = decoder.partitioner().of(&envelope.room_id);
        let headers = raw.headers.clone();
        let offset = self.append(&self.log.messages(), partition, raw, headers).await?;
        let position = self.log.position(offset).map_err(LogError::from)?;
        Ok(Cursor { partition, position })
    }

    async fn append(
        &self,
        topic: &str,
        partition: Partition,
        raw: &Raw,
        headers: Option<OwnedHeaders>,
    ) -> Result<i64, LogError> {
        let producer = self.producer()?;
        let record: FutureRecord<'_, [u8], [u8]> = FutureRecord {
            topic,
            partition: Some(partition.number()),
            payload: raw.value.as_deref(),
            key: raw.key.as_deref(),
            timestamp: None,
            headers,
        };
        let delivered = match producer.send_result(record) {
            Ok(delivery) => match delivery.await {
                Ok(delivered) => delivered.map_err(|(error, _)| error.into()),
                Err(_) => Err(LogError::Died),
            },
            Err((error, _)) if is_too_large(&error) => return Err(LogError::TooLarge),
            Err((error, _)) => Err(error.into()),
        };
        if delivered.is_err() {
            let old = self.lock().take();
            // The last one to let go of it waits for its threads.
            let _ = tokio::task::spawn_blocking(move || drop((old, producer))).await;
        }
        Ok(delivered?.offset)
    }

    fn producer(&self) -> Result<FutureProducer, LogError> {
        let mut producer = self.lock();
        if let Some(producer) = &*producer {
            return Ok(producer.clone());
        }
        let made: FutureProducer = self
            .log
            .client()
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            .set("message.max.bytes", MAX_BYTES.to_string())
            .set("compression.codec", "lz4")
            // A topic that is not there is to be called so; the default waits for it first.
            .set("topic.metadata.propagation.max.ms", "1000")
            .create()?;
        *producer = Some(made.clone());
        Ok(made)
    }

    fn lock(&self) -> MutexGuard<'_, Option<FutureProducer>> {
        // Each write replaces the value whole.
        self.producer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DeadLetter {
    /// A record of the topic of dead letters.
    #[must_use]
    pub fn read(raw: Raw) -> Self {
        // The client library panics at a name that is not readable.
        let last = |number: usize| {
            let headers = raw.headers.as_ref()?;
            (raw.readable_from + number <= headers.count()).then_some(headers)
        };
        let origin = last(HEADERS.len()).and_then(origin);
        let cut = last(CUT_HEADERS.len() + HEADERS.len()).and_then(cut);
        Self { cut: cut.filter(|_| raw.value.is_none()), origin, raw }
    }
}

fn add<'a>(headers: OwnedHeaders, more: impl Iterator<Item = (&'a str, &'a str)>) -> OwnedHeaders {
    more.fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}

/// Of an error of handing a record over: whether the client library finds it too large.
fn is_too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

/// What was too large to be kept has no headers of its own.
fn cut(headers: &OwnedHeaders) -> Option<Cut> {
    if headers.count() != CUT_HEADERS.len() + HEADERS.len() {
        return None;
    }
    origin(headers)?;
    let text = |number: usize| {
        let header = headers.try_get(number)?;
        let value = std::str::from_utf8(header.value?).ok()?;
        (header.key == CUT_HEADERS[number]).then_some(value)
    };
    Some(Cut { bytes: text(0)?.parse().ok()?, sha256: text(1)?.to_owned() })
}

/// Looks at the last headers only: names of others may not be readable.
fn origin(headers: &OwnedHeaders) -> Option<Origin> {
    let first = headers.count().checked_sub(HEADERS.len())?;
    let text = |number: usize| {
        let header = headers.try_get(first + number)?;
        let value = std::str::from_utf8(header.value?).ok()?;
        (header.key == HEADERS[number]).then(|| value.to_owned())
    };
    Some(Origin {
        reason: text(0)?,
        topic: text(1)?,
        partition: Partition::from_number(text(2)?.parse().ok()?).ok()?,
        // The topic says which generation it was of.
        position: Position::new(0, text(3)?.parse().ok()?).ok()?,
    })
}

#[cfg(test)]
#[path = "dlq_tests.rs"]
mod tests;
