//! The share of a topic's partitions that its group gives to one reader.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};

use super::membership::{Change, Group, Member};
use super::reading::{Ranges, Received, list, range, reader, receive};
use crate::kafka::reminder::Reminder;
use crate::kafka::{Log, LogError};
use crate::message::{Partition, Position};

/// A membership of a group, and the partitions that come with it.
pub struct Share {
    consumer: Arc<Member>,
    reminder: Reminder,
    pub(in crate::kafka) log: Log,
    topic: String,
}

impl Share {
    /// Joins a group that reads a topic of that log.
    pub(in crate::kafka) fn join(log: &Log, topic: String, group: &str) -> Result<Self, LogError> {
        let consumer: StreamConsumer<Group> = reader(log)
            .set("group.id", group)
            .set("partition.assignment.strategy", "cooperative-sticky")
            // A killed member's partitions go to the others after this time.
            .set("session.timeout.ms", "10000")
            // Members hear of a change of their shares with their next heartbeat.
            .set("heartbeat.interval.ms", "1000")
            .create_with_context(Group::default())?;
        consumer.subscribe(&[&topic])?;
        let consumer = Arc::new(Member::new(consumer));
        Ok(Self { consumer, reminder: Reminder::new(&log.brokers), log: log.clone(), topic })
    }

    /// The generation that is read.
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.log.generation
    }

    /// Waits for what comes next. Changes of the share come about while this is awaited.
    pub(in crate::kafka) async fn receive(&self) -> Result<Received<'_>, LogError> {
        receive(&self.consumer, &self.reminder, &self.log).await
    }

    /// Completes when there may be a new [`Change`].
    pub async fn changed(&self) {
        self.consumer.context().changed.notified().await;
    }

    /// The oldest change that was not answered, without taking it.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        self.consumer.context().lock().front().cloned()
    }

    /// What these partitions hold.
    pub fn ranges(
        &self,
        partitions: Vec<Partition>,
    ) -> impl Future<Output = Result<Ranges, LogError>> + Send + use<> {
        let (consumer, log) = (Arc::clone(&self.consumer), self.log.clone());
        let topic = self.topic.clone();
        let ask = move || {
            let range = |partition| Ok((partition, range(&**consumer, &log, &topic, partition)?));
            partitions.into_iter().map(range).collect()
        };
        async move { tokio::task::spawn_blocking(ask).await.map_err(|_| LogError::Died)? }
    }

    /// Answers the oldest change: reads the new partitions from these positions on.
    pub fn start(&self, positions: &[(Partition, Position)]) -> Result<(), LogError> {
        self.consumer.context().lock().pop_front();
        Ok(self.consumer.incremental_assign(&list(&self.topic, positions)?)?)
    }

    /// Answers the oldest change: lets these partitions go.
    pub fn give_up(&self, partitions: &[Partition]) -> Result<(), LogError> {
        self.consumer.context().lock().pop_front();
        let partitions = self.plain_list(partitions.iter().copied());
        Ok(self.consumer.incremental_unassign(&partitions)?)
    }

    /// Reads a partition of the share from another position on, wherever and however it stands.
    pub fn restart(&self, partition: Partition, position: Position) -> Result<(), LogError> {
        // Not a seek: that is refused for a partition whose position was out of range.
        self.consumer.incremental_unassign(&self.plain_list([partition]))?;
        Ok(self.consumer.incremental_assign(&list(&self.topic, &[(partition, position)])?)?)
    }

    /// Reads these partitions no further for now.
    pub fn pause(&self, partitions: impl IntoIterator<Item = Partition>) -> Result<(), LogError> {
        Ok(self.consumer.pause(&self.plain_list(partitions))?)
    }

    /// Goes on with these partitions.
    pub fn resume(&self, partitions: impl IntoIterator<Item = Partition>) -> Result<(), LogError> {
        Ok(self.consumer.resume(&self.plain_list(partitions))?)
    }

    /// Tells the group how far each partition is done. For people's tools only: progress itself is
    /// kept with the documents.
    pub fn commit(&self, done: &[(Partition, Position)]) -> Result<(), LogError> {
        let next: Vec<_> =
            done.iter().map(|(partition, position)| (*partition, position.next())).collect();
        Ok(self.consumer.commit(&list(&self.topic, &next)?, CommitMode::Async)?)
    }

    fn plain_list(&self, partitions: impl IntoIterator<Item = Partition>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition.number());
        }
        list
    }
}

/// Leaves the group, however the reader ended. Blocks until the broker knows, or for 5 s.
impl Drop for Share {
    fn drop(&mut self) {
        // From here on the group's callback answers; what it noted before must be answered now, or
        // the client library waits for it for ever.
        self.consumer.context().closing.store(true, Ordering::SeqCst);
        while let Some(change) = self.change() {
            let answered = match change {
                Change::Assigned(_) => self.start(&[]),
                Change::Revoked(partitions) => self.give_up(&partitions),
            };
            if let Err(error) = answered {
                tracing::warn!(%error, topic = self.topic, "a reader leaves its group uncleanly");
            }
        }
    }
}
