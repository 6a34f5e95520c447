//! Creating the topics and comparing them with what they should be.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use tokio::time::{Instant, sleep};

use super::{ASK_TIMEOUT, Log, LogError};

/// Seven days: how long the log can refill the archive.
const RETENTION_MS: &str = "604800000";
/// Between two looks at a topic that was just created.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What an operator decides about the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicShape {
    /// How many partitions.
    pub partitions: u16,
    /// How many brokers hold each.
    pub replication_factor: u16,
    /// How many of them must have a record before it is acknowledged.
    pub min_insync_replicas: u16,
}

/// The topics as they should be.
pub struct Topics {
    admin: AdminClient<DefaultClientContext>,
    name: String,
    shape: TopicShape,
}

impl Topics {
    /// The topics of a log.
    pub fn new(log: &Log, shape: TopicShape) -> Result<Self, LogError> {
        Ok(Self { admin: log.client().create()?, name: log.messages(), shape })
    }

    fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("cleanup.policy", "delete".to_owned()),
            ("retention.ms", RETENTION_MS.to_owned()),
            ("compression.type", "lz4".to_owned()),
            ("min.insync.replicas", self.shape.min_insync_replicas.to_string()),
        ]
    }

    /// Creates what is missing and checks what is there. Changes nothing that exists.
    pub async fn ensure(&self) -> Result<(), LogError> {
        let settings = self.settings();
        let replication = TopicReplication::Fixed(i32::from(self.shape.replication_factor));
        let topic = NewTopic::new(&self.name, i32::from(self.shape.partitions), replication);
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let options = AdminOptions::new().operation_timeout(Some(ASK_TIMEOUT));
        let mut created = false;
        for result in self.admin.create_topics([&topic], &options).await? {
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

    /// Compares the topics with what they should be; the error names every difference.
    pub async fn check(&self) -> Result<(), LogError> {
        let mut differences = self.count_differences()?;
        differences.extend(self.setting_differences().await?);
        if differences.is_empty() {
            return Ok(());
        }
        Err(LogError::Shape(format!("topic {}: {}", self.name, differences.join("; "))))
    }

    fn count_differences(&self) -> Result<Vec<String>, LogError> {
        let metadata = self.admin.inner().fetch_metadata(Some(&self.name), ASK_TIMEOUT)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == self.name);
        let partitions =
            topic.map(rdkafka::metadata::MetadataTopic::partitions).unwrap_or_default();
        if partitions.is_empty() {
            return Err(LogError::NoTopic(self.name.clone()));
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

    async fn setting_differences(&self) -> Result<Vec<String>, LogError> {
        let options = AdminOptions::new().request_timeout(Some(ASK_TIMEOUT));
        let resource = ResourceSpecifier::Topic(&self.name);
        let answers = self.admin.describe_configs([&resource], &options).await?;
        let mut differences = Vec::new();
        for answer in answers {
            let answer =
                answer.map_err(|code| LogError::Shape(format!("topic {}: {code}", self.name)))?;
            for (key, expected) in self.settings() {
                let found =
                    answer.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
                if found != expected {
                    differences.push(format!("{key} is {found:?}, expected {expected:?}"));
                }
            }
        }
        Ok(differences)
    }
}
