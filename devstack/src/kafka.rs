//! Kafka: one broker that is its own controller (`KRaft`).

mod secured;

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use crate::part::{Part, probe};
use crate::program::Program;
use crate::{checkout, name, ports};

pub use secured::{PASSWORD, Secured, USER};

/// A broker with a log of its own; killed when dropped.
pub struct Broker {
    part: Part,
    format: Program,
    data: PathBuf,
    brokers: String,
}

impl Broker {
    /// Starts a broker whose state lies in a directory, on a port.
    pub async fn start(state: &Path, port: u16) -> Result<Self> {
        let server = Self::prepare(state, port)?;
        server.boot().await?;
        Ok(server)
    }

    /// Starts a private broker on a port nobody listens on.
    pub async fn start_private(state: &Path) -> Result<Self> {
        Self::start(state, ports::free()?).await
    }

    /// Starts a private broker that has listeners with TLS and SASL besides, as a hosted one has.
    pub async fn start_secured(state: &Path) -> Result<(Self, Secured)> {
        let secured = Secured::create(&state.join("kafka-pki"))?;
        let server = Self::prepare_with(state, local(ports::free()?), Some(&secured))?;
        server.boot().await?;
        Ok((server, secured))
    }

    pub(crate) fn prepare(state: &Path, port: u16) -> Result<Self> {
        Self::prepare_at(state, local(port))
    }

    /// A broker that listens at this address, and is reached by it from everywhere.
    pub(crate) fn prepare_at(state: &Path, address: SocketAddrV4) -> Result<Self> {
        Self::prepare_with(state, address, None)
    }

    fn prepare_with(
        state: &Path,
        address: SocketAddrV4,
        secured: Option<&Secured>,
    ) -> Result<Self> {
        let home = state.join("kafka-data");
        fs::create_dir_all(&home).with_context(|| format!("{} cannot be made", home.display()))?;
        let data = home.join("log");
        let config = home.join("server.properties");
        let brokers = address.to_string();
        fs::write(&config, properties(&brokers, ports::free()?, &data, secured))
            .with_context(|| format!("{} cannot be written", config.display()))?;
        let ready = probe({
            let brokers = brokers.clone();
            move || {
                let brokers = brokers.clone();
                async move { serves(brokers).await }
            }
        });
        let format = java("kafka.tools.StorageTool")
            .args(["format", &format!("--cluster-id={}", name::random_token(16))])
            .args(["--config".as_ref(), config.as_os_str()])
            .args(secured.into_iter().flat_map(|_| Secured::format_arguments()));
        Ok(Self {
            part: Part::new("kafka", java("kafka.Kafka").args([&config]), state, ready),
            format,
            data,
            brokers,
        })
    }

    /// Formats the log when there is none, and starts the broker.
    pub(crate) async fn boot(&self) -> Result<()> {
        if !self.data.join("meta.properties").exists() {
            self.format.run(self.part.log()).await?;
        }
        self.part.start().await
    }

    /// The bootstrap brokers.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

impl Deref for Broker {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.part
    }
}

fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

fn java(class: &str) -> Program {
    Program::new("java")
        .args(["-Xmx512m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"])
        .args(["-Dorg.slf4j.simpleLogger.showDateTime=true"])
        .args(["-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"])
        .args(["-cp".as_ref(), checkout::state().join("kafka/*").as_os_str()])
        .args([class])
}

/// One broker for one machine. A killed broker may register again only when its session is over:
/// 4 s instead of 9 s of waiting at each restart after a crash.
fn properties(brokers: &str, controller: u16, data: &Path, secured: Option<&Secured>) -> String {
    let mut listeners = vec![format!("PLAINTEXT://{brokers}")];
    let more = secured.into_iter().flat_map(Secured::listeners);
    listeners.extend(more.map(|(protocol, address)| format!("{protocol}://{address}")));
    let listeners = listeners.join(",");
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners={listeners},CONTROLLER://127.0.0.1:{controller}
advertised.listeners={listeners}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
{}
",
        data.display(),
        secured.map(Secured::properties).unwrap_or_default(),
    )
}

/// Succeeds when the broker lists itself: it has registered and answers requests.
pub(crate) async fn serves(brokers: String) -> Result<()> {
    tokio::task::spawn_blocking(move || {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .create()
            .context("no Kafka client")?;
        let metadata = client
            .fetch_metadata(None, Duration::from_secs(5))
            .with_context(|| format!("Kafka at {brokers} does not answer"))?;
        ensure!(!metadata.brokers().is_empty(), "Kafka lists no broker yet");
        Ok(())
    })
    .await
    .context("asking Kafka failed")?
}
