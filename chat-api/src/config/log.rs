//! Where the log is, how it is reached, and how its topics should be.

mod security;

use clap::Args;

use super::invalid::BadConfiguration;
use crate::kafka::{Log, TopicShape};

pub use security::{SecurityArgs, SecurityProtocol};

/// Where the log is.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Kafka brokers: `host:port`, separated by commas.
    #[arg(long, env = "KAFKA_BROKERS", value_parser = parse_brokers)]
    pub kafka_brokers: String,

    /// What the names of topics and consumer groups begin with.
    #[arg(long, env = "KAFKA_TOPIC_PREFIX", default_value = "", value_parser = parse_prefix)]
    pub kafka_topic_prefix: String,

    /// How the brokers are reached.
    #[command(flatten)]
    pub security: SecurityArgs,
}

/// How the topics should be.
#[derive(Debug, Clone, Args)]
pub struct TopicArgs {
    /// Partitions of each topic. Never changed in place.
    #[arg(long, env = "KAFKA_PARTITIONS", default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub kafka_partitions: u16,

    /// How many brokers hold each partition.
    #[arg(long, env = "KAFKA_REPLICATION_FACTOR", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub kafka_replication_factor: u16,

    /// How many of them must have a message before it is acknowledged.
    #[arg(long, env = "KAFKA_MIN_INSYNC_REPLICAS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub kafka_min_insync_replicas: u16,
}

impl LogArgs {
    /// The log itself. Reads the files that say how it is reached.
    pub fn log(&self) -> Result<Log, BadConfiguration> {
        let security = self.security.security()?;
        // The broker knows whether there is a later one.
        let (brokers, prefix) = (self.kafka_brokers.clone(), self.kafka_topic_prefix.clone());
        Ok(Log { brokers, prefix, security, generation: 0 })
    }
}

impl TopicArgs {
    /// The shape of the topics. With fewer holders of a partition than must have a message, no message
    /// would ever be acknowledged.
    pub fn shape(&self) -> Result<TopicShape, BadConfiguration> {
        let shape = TopicShape {
            partitions: self.kafka_partitions,
            replication_factor: self.kafka_replication_factor,
            min_insync_replicas: self.kafka_min_insync_replicas,
        };
        if shape.min_insync_replicas <= shape.replication_factor {
            return Ok(shape);
        }
        let reason = "must not be more than --kafka-replication-factor";
        Err(BadConfiguration::new("kafka-min-insync-replicas", reason))
    }
}

fn parse_brokers(text: &str) -> Result<String, String> {
    let is_address = |address: &&str| {
        let parts = address.rsplit_once(':');
        parts.is_some_and(|(host, port)| {
            !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    let addresses: Vec<_> = text.split(',').map(str::trim).collect();
    if addresses.iter().all(is_address) {
        Ok(addresses.join(","))
    } else {
        Err("expected host:port, separated by commas".to_owned())
    }
}

/// Kafka's rule for names of topics, with room for the rest of the name.
fn parse_prefix(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.len() <= 200 && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("expected at most 200 letters, digits, dots, dashes and underscores".to_owned())
    }
}
