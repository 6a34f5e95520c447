//! Membership of the group of the archive readers: what it asks, and how it ends.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use tokio::sync::Notify;

use crate::message::Partition;

/// How long a member waits for its group's word when it leaves.
const LEAVE: Duration = Duration::from_secs(5);

/// A change of a group member's share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These come to it; `GroupConsumer::start` takes them.
    Assigned(Vec<Partition>),
    /// These go away; `GroupConsumer::give_up` lets them go.
    Revoked(Vec<Partition>),
}

/// A membership of the group, which ends when this is dropped.
pub(super) struct Member(Option<StreamConsumer<Group>>);

impl Member {
    pub(super) fn new(consumer: StreamConsumer<Group>) -> Self {
        Self(Some(consumer))
    }
}

impl Deref for Member {
    type Target = StreamConsumer<Group>;

    fn deref(&self) -> &StreamConsumer<Group> {
        self.0.as_ref().expect("only the drop takes it")
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        // The client library waits for the answer to its last commit, and a broker that was lost with
        // it may never come back. A member that is silent is counted out by the others.
        let consumer = self.0.take();
        let (left, has_left) = mpsc::channel::<()>();
        let leaving = thread::Builder::new().name("leave-group".to_owned()).spawn(move || {
            drop(consumer);
            drop(left);
        });
        if leaving.is_err() || has_left.recv_timeout(LEAVE) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("archive: left without the word of the group");
        }
    }
}

/// Notes changes of the share, so that the reader can answer them in its own time: progress is read
/// from a database before a partition is started, and a batch is finished before one is let go.
#[derive(Default)]
pub(super) struct Group {
    changes: Mutex<VecDeque<Change>>,
    pub(super) changed: Notify,
    /// The reader is gone: its callback answers by itself.
    pub(super) closing: AtomicBool,
}

impl Group {
    pub(super) fn lock(&self) -> MutexGuard<'_, VecDeque<Change>> {
        // Each access is one whole step.
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Group {
    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ConsumerContext for Group {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        share: &mut TopicPartitionList,
    ) {
        let numbers = share.elements().into_iter().map(|element| element.partition());
        let partitions = numbers.filter_map(|number| Partition::from_number(number).ok()).collect();
        let change = match kind {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(partitions),
            _ => Change::Revoked(partitions),
        };
        if !self.closing.load(Ordering::SeqCst) {
            self.lock().push_back(change);
            self.changed.notify_one();
            return;
        }
        // The reader is gone, its batch was stored before: only the protocol is to be finished.
        let answered = match change {
            Change::Assigned(_) => consumer.incremental_assign(&TopicPartitionList::new()),
            Change::Revoked(_) => consumer.incremental_unassign(share),
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "archive reader leaves its group uncleanly");
        }
    }
}

/// Whatever matters comes as an `Item` as well; by default each end of a partition is an error in
/// the log.
pub(super) fn note(error: &KafkaError, reason: &str) {
    tracing::debug!(%error, reason, "log reader");
}
