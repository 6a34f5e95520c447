//! Creating the topics and comparing them with what they should be.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use tokio::time::{Instant, sleep};

use super::log::ASK_TIMEOUT;
use super::raw;
use super::{Log, LogError};

/// Seven days: how long the log can refill the archive.
const MESSAGES_RETENTION_MS: &str = "604800000";
/// 30 days: how long people have to look at a dead letter.
const DEAD_LETTERS_RETENTION_MS: &str = "2592000000";
/// Ten minutes: a replica that starts reads half a minute of it, and people may look at the rest.
const PRESENCE_RETENTION_MS: &str = "600000";
/// A minute: who is typing is forgotten after seconds.
const EPHEMERAL_RETENTION_MS: &str = "60000";
/// What a batch of messages may have, compressed: as much as the client library puts into one before it
/// compresses it, and a head. That is a broker's default, too; with less, small messages are refused
/// for those that are sent with them.
const MESSAGES_MAX_BYTES: usize = 1_048_588;
/// Between two looks at a topic that was just created.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What an operator decides about the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicShape {
    /// How many partitions each topic has.
    pub partitions: u16,
    /// How many brokers hold each.
    pub replication_factor: u16,
    /// How many of them must have a record before it is acknowledged.
    pub min_insync_replicas: u16,
}

/// The topics as they should be.
pub struct Topics {
    admin: AdminClient<DefaultClientContext>,
    all: [Topic; 5],
    shape: TopicShape,
}

/// A topic, and the settings that it must have.
struct Topic {
    name: String,
    settings: Vec<(&'static str, String)>,
}

impl Topic {
    /// A topic that holds every record for that long.
    fn kept(name: String, shape: TopicShape, retention_ms: &str, max_bytes: usize) -> Self {
        let own = [
            ("cleanup.policy", "delete"),
            // By time alone: a busy day must not cut short how long the archive may be away.
            ("retention.bytes", "-1"),
            ("retention.ms", retention_ms),
        ];
        Self::new(name, shape, &own, max_bytes)
    }

    /// A topic that holds the last record of every key, for ever.
    fn compacted(name: String, shape: TopicShape) -> Self {
        Self::new(name, shape, &[("cleanup.policy", "compact")], MESSAGES_MAX_BYTES)
    }

    /// A topic that is kept for minutes: the segment that is written to is never deleted, and the broker's
    /// default writes to one for a week.
    fn short_lived(name: String, shape: TopicShape, retention_ms: &str) -> Self {
        let mut topic = Self::kept(name, shape, retention_ms, MESSAGES_MAX_BYTES);
        topic.settings.push(("segment.ms", retention_ms.to_owned()));
        topic
    }

    fn new(
        name: String,
        shape: TopicShape,
        own: &[(&'static str, &str)],
        max_bytes: usize,
    ) -> Self {
        let all = [
            ("compression.type", "lz4"),
            // A replica that was not in sync would take acknowledged messages back.
            ("unclean.leader.election.enable", "false"),
            // The broker's clock: a record of a replica with a wrong one is neither refused for it, nor
            // deleted at once, nor kept for ever.
            ("message.timestamp.type", "LogAppendTime"),
        ];
        let fixed = all.iter().chain(own).map(|(key, value)| (*key, (*value).to_owned()));
        let minimum = ("min.insync.replicas", shape.min_insync_replicas.to_string());
        let largest = ("max.message.bytes", max_bytes.to_string());
        Self { name, settings: fixed.chain([minimum, largest]).collect() }
    }
}

impl Topics {
    /// The topics of a log.
    pub fn new(log: &Log, shape: TopicShape) -> Result<Self, LogError> {
        let all = [
            Topic::kept(log.messages(), shape, MESSAGES_RETENTION_MS, MESSAGES_MAX_BYTES),
            Topic::kept(log.dead_letters(), shape, DEAD_LETTERS_RETENTION_MS, raw::MAX_BYTES),
            Topic::compacted(log.markers(), shape),
            Topic::short_lived(log.presence(), shape, PRESENCE_RETENTION_MS),
            Topic::short_lived(log.ephemeral(), shape, EPHEMERAL_RETENTION_MS),
        ];
        Ok(Self { admin: log.client().create()?, all, shape })
    }

    /// Creates what is missing and checks what is there. Changes nothing that exists.
    pub async fn ensure(&self) -> Result<(), LogError> {
        let factor = i32::from(self.shape.replication_factor);
        let partitions = i32::from(self.shape.partitions);
        let topics = self.all.iter().map(|Topic { name, settings }| {
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(factor));
            settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
        });
        let topics: Vec<_> = topics.collect();
        let options = AdminOptions::new().operation_timeout(Some(ASK_TIMEOUT));
        let mut created = false;
        for result in self.admin.create_topics(&topics, &options).await? {
            match result {
                Ok(name) => {
                    tracing::info!(topic = name, "topic created");
                    created = true;
                }
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((name, code)) => {
                    return Err(LogError::Shape(format!("topic {name} cannot be created: {code}")));
                }
            }
        }
        let deadline = Instant::now() + ASK_TIMEOUT;
        loop {
            match self.check().await {
                // Brokers hear of a new topic one after another.
                Err(_) if created && Instant::now() < deadline => sleep(LOOK_AGAIN).await,
                checked => return checked,
            }
        }
    }

    /// Creates the topic of a generation, unless archive readers run: whoever has begun with the one
    /// before goes on appending to it, and nobody would read that.
    pub async fn raise(&self, log: &Log) -> Result<(), LogError> {
        let (client, group) = (self.admin.inner(), log.archive_group());
        let groups = client.fetch_group_list(Some(&group), ASK_TIMEOUT)?;
        if groups.groups().iter().any(|found| !found.members().is_empty()) {
            let text = format!("group {group} has members: stop every replica of chat-api first");
            return Err(LogError::Shape(text));
        }
        self.ensure().await
    }

    /// Compares the topics with what they should be; the error names every difference.
    pub async fn check(&self) -> Result<(), LogError> {
        let mut different = Vec::new();
        for topic in &self.all {
            let mut differences = self.count_differences(topic)?;
            differences.extend(self.setting_differences(topic).await?);
            if !differences.is_empty() {
                different.push(format!("topic {}: {}", topic.name, differences.join("; ")));
            }
        }
        if different.is_empty() { Ok(()) } else { Err(LogError::Shape(different.join("; "))) }
    }

    fn count_differences(&self, Topic { name, .. }: &Topic) -> Result<Vec<String>, LogError> {
        let metadata = self.admin.inner().fetch_metadata(Some(name), ASK_TIMEOUT)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == name);
        let partitions =
            topic.map(rdkafka::metadata::MetadataTopic::partitions).unwrap_or_default();
        if partitions.is_empty() {
            return Err(LogError::NoTopic(name.clone()));
        }
        let mut differences = Vec::new();
        if partitions.len() != usize::from(self.shape.partitions) {
            differences.push(format!(
                "{} partitions, expected {}",
                partitions.len(),
                self.shape.partitions
            ));
        }
        let factor = usize::from(self.shape.replication_factor);
        if let Some(odd) = partitions.iter().find(|partition| partition.replicas().len() != factor)
        {
            differences
                .push(format!("replication factor {}, expected {factor}", odd.replicas().len()));
        }
        if let Some(headless) = partitions.iter().find(|partition| partition.leader() < 0) {
            differences.push(format!("partition {} has no leader", headless.id()));
        }
        Ok(differences)
    }

    async fn setting_differences(
        &self,
        Topic { name, settings }: &Topic,
    ) -> Result<Vec<String>, LogError> {
        let options = AdminOptions::new().request_timeout(Some(ASK_TIMEOUT));
        let resource = ResourceSpecifier::Topic(name);
        let answers = self.admin.describe_configs([&resource], &options).await?;
        let mut differences = Vec::new();
        for answer in answers {
            let answer = answer.map_err(|code| LogError::Shape(format!("topic {name}: {code}")))?;
            for (key, expected) in settings {
                let found =
                    answer.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
                if found != *expected {
                    differences.push(format!("{key} is {found:?}, expected {expected:?}"));
                }
            }
        }
        Ok(differences)
    }
}
