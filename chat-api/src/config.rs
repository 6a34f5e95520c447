//! What an operator decides. Everything is parsed before anything is bound.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderValue;
use clap::Args;
use clap::builder::BoolishValueParser;
use secrecy::SecretString;
use service_process::cli::item;
use service_process::listener::{Limits, ListenerArgs};
use url::Url;

use crate::hub;
use crate::kafka::{Bounds, Log, TopicShape};
use crate::rate::Rate;

/// Where the log is.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Kafka brokers: `host:port`, separated by commas.
    #[arg(long, env = "KAFKA_BROKERS", value_parser = parse_brokers)]
    pub kafka_brokers: String,

    /// What the names of topics and consumer groups begin with.
    #[arg(long, env = "KAFKA_TOPIC_PREFIX", default_value = "", value_parser = parse_prefix)]
    pub kafka_topic_prefix: String,
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

/// Where the archive is.
#[derive(Debug, Clone, Args)]
pub struct MongoArgs {
    /// Connection string of MongoDB (secret).
    // Taken as it is: the parser of the command line would quote what it refuses.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true)]
    pub mongodb_uri: SecretString,

    /// The database in MongoDB.
    #[arg(long, env = "MONGODB_DATABASE", default_value = "chat", value_parser = parse_database)]
    pub mongodb_database: String,
}

/// What `serve` needs.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where REST and WebSocket are served.
    #[arg(long, env = "CHAT_LISTEN", default_value = "0.0.0.0:8080")]
    pub chat_listen: SocketAddr,

    /// What that port bears.
    #[command(flatten)]
    pub listener: ListenerArgs,

    /// Where liveness, readiness and metrics are served.
    #[arg(long, env = "ADMIN_LISTEN", default_value = "0.0.0.0:9102")]
    pub admin_listen: SocketAddr,

    /// Where the log is.
    #[command(flatten)]
    pub log: LogArgs,

    /// Where the archive is.
    #[command(flatten)]
    pub mongodb: MongoArgs,

    /// Issuer of the tokens, exactly as tokens and discovery name it.
    #[arg(long, env = "DEX_ISSUER_URL", value_parser = parse_http_url)]
    pub dex_issuer_url: String,

    /// Audience that tokens must be for.
    #[arg(long, env = "DEX_AUDIENCE", default_value = "chat-api", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub dex_audience: String,

    /// Where the issuer is reached from here, if not at its own address.
    #[arg(long, env = "DEX_DISCOVERY_URL", value_parser = parse_http_url)]
    pub dex_discovery_url: Option<String>,

    /// Origins whose pages may call, separated by commas; none if left out.
    #[arg(long, env = "CHAT_ALLOWED_ORIGINS", value_delimiter = ',', value_parser = item(parse_origin as fn(&str) -> Result<HeaderValue, String>))]
    pub chat_allowed_origins: Vec<HeaderValue>,

    /// What this replica calls itself in the records that it appends to the log, as their header
    /// `origin`.
    #[arg(long, env = "CHAT_REPLICA", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub chat_replica: Option<String>,

    /// Believe a request's `traceparent`: of which trace it is a part, and whether that is recorded. For
    /// replicas behind an entry that writes this header itself; elsewhere anybody could have everything
    /// recorded.
    #[arg(long, env = "CHAT_TRUST_TRACEPARENT", value_parser = BoolishValueParser::new())]
    pub chat_trust_traceparent: bool,

    /// At a stop: seconds to go on taking connections after readiness is off, so that whoever
    /// distributes them learns of it.
    #[arg(long, env = "CHAT_DRAIN_PAUSE", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=60))]
    pub chat_drain_pause: u16,

    /// Then: seconds over which the ends of the sockets are spread, so that their clients do not all
    /// come to the other replicas at once.
    #[arg(long, env = "CHAT_DRAIN_OVER", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=60))]
    pub chat_drain_over: u16,
}

/// The whole configuration of a serving process.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the operator decided.
    pub args: ServeArgs,
    /// What the public port bears.
    pub listener: Limits,
    /// How long clients are waited for.
    pub timeouts: Timeouts,
    /// How fast one person may speak.
    pub rate: Rate,
    /// How fast one person may read of the archive.
    pub reads: Rate,
    /// What may be on its way to the log.
    pub in_flight: Bounds,
    /// Bytes of events kept in memory per partition: 48 partitions with 1 MiB each stay far below
    /// the memory of the smallest container.
    pub ring_bytes: usize,
    /// Offsets within which an id is a repeat. Twice as many are read back at the start.
    pub span: i64,
    /// One more kind of record that is read, as if it were a message. For tests only: it stands for a
    /// kind of a release to come, which the others do not know.
    pub extra_kind: Option<&'static str>,
}

/// How long this replica waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the body of a request, until all of it has come.
    pub body: Duration,
    /// For the first token.
    pub auth: Duration,
    /// Between two pings.
    pub ping_every: Duration,
    /// For the answer to a ping.
    pub pong_within: Duration,
    /// Before the token's expiry, to say so.
    pub before_expiry: Duration,
    /// After the token's expiry, for a fresh one. Stays below the leeway with which tokens pass.
    pub after_expiry: Duration,
    /// For a write of which the other side takes nothing.
    pub stall: Duration,
    /// After a stop was asked for, until sockets are told: the time in which whoever distributes
    /// connections learns that no more should come here.
    pub drain_pause: Duration,
    /// Over which the ends of the sockets are spread at a stop.
    pub drain_over: Duration,
}

impl Timeouts {
    fn new(args: &ServeArgs) -> Self {
        Self {
            body: Duration::from_secs(10),
            auth: Duration::from_secs(10),
            ping_every: Duration::from_secs(25),
            pong_within: Duration::from_secs(8),
            before_expiry: Duration::from_mins(1),
            after_expiry: Duration::from_secs(25),
            stall: Duration::from_secs(15),
            drain_pause: Duration::from_secs(args.chat_drain_pause.into()),
            drain_over: Duration::from_secs(args.chat_drain_over.into()),
        }
    }
}

impl Config {
    /// The configuration of an operator's decisions.
    #[must_use]
    pub fn new(args: ServeArgs) -> Self {
        let timeouts = Timeouts::new(&args);
        // A send may take so long: five seconds for what has its key already, five for the log.
        let listener = Limits { shutdown: Duration::from_secs(10), ..args.listener.limits() };
        Self {
            args,
            listener,
            timeouts,
            rate: Rate::SENDS,
            reads: Rate::READS,
            in_flight: Bounds::default(),
            ring_bytes: 1 << 20,
            span: hub::SPAN,
            extra_kind: None,
        }
    }
}

impl LogArgs {
    /// The log itself.
    #[must_use]
    pub fn log(&self) -> Log {
        // The broker knows whether there is a later one.
        let (brokers, prefix) = (self.kafka_brokers.clone(), self.kafka_topic_prefix.clone());
        Log { brokers, prefix, generation: 0 }
    }
}

impl TopicArgs {
    /// The shape of the topics.
    #[must_use]
    pub fn shape(&self) -> TopicShape {
        TopicShape {
            partitions: self.kafka_partitions,
            replication_factor: self.kafka_replication_factor,
            min_insync_replicas: self.kafka_min_insync_replicas,
        }
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

/// MongoDB's rule for names of databases on every platform.
fn parse_database(text: &str) -> Result<String, String> {
    let forbidden = |c: char| "/\\. \"$*<>:|?\0".contains(c);
    if (1..64).contains(&text.len()) && !text.contains(forbidden) {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 63 bytes without / \\ . \" $ * < > : | ? and spaces".to_owned())
    }
}

fn parse_http_url(text: &str) -> Result<String, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => Err("expected an http:// or https:// address".to_owned()),
    }
}

/// RFC 6454 §6.2: scheme, host and, unless it is the scheme's own, port.
fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || "expected an origin such as https://chat.example, without a path".to_owned();
    let origin = Url::parse(text).map_err(|_| wrong())?.origin().ascii_serialization();
    if origin != text {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}
