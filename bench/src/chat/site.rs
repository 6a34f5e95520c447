//! Where chat-api runs: a Kafka and a MongoDB that nobody else uses, and an issuer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use devstack::part::{Part, State, probe};
use devstack::program::Program;
use devstack::stack::WRITES;
use devstack::{checkout, kafka, mongodb as server, name, ports};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Collection};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::issuer::Issuer;
use super::sample::{NONE, Sample, request};
use crate::pin::Cores;
use crate::wire::dialect::Dialect;
use crate::wire::http::Pool;
use crate::wire::listeners::mark;
use crate::wire::socket;
use crate::{scrape, usage};

/// People who take turns, so that nobody says more than a few messages a second: chat-api limits
/// each of them, and the rates here are those of all.
const PEOPLE: usize = 4_096;

/// Partitions of each log.
pub(crate) const PARTITIONS: usize = 6;

/// Limits that limit nothing, for what is not about them.
pub(crate) const NO_LIMITS: [(&str, &str); 5] = [
    ("LIMIT_SENDS_PER_SECOND", "1000000"),
    ("LIMIT_SENDS_BURST", "1000000"),
    ("LIMIT_READS_PER_SECOND", "1000000"),
    ("LIMIT_READS_BURST", "1000000"),
    ("LIMIT_ROOMS_PER_DAY", "1000000"),
];

/// How long the archive may take to write what was said.
const CATCH_UP: Duration = Duration::from_mins(2);

/// What all measurements share. Dropped = gone.
pub(crate) struct Site {
    pub(crate) kafka: kafka::Broker,
    pub(crate) mongodb: server::ReplicaSet,
    pub(crate) issuer: Issuer,
    pub(crate) tokens: Vec<String>,
    pub(crate) cores: Cores,
    client: Client,
    sample: Option<Sample>,
    // The last: the servers write there until they are gone.
    files: TempDir,
}

/// A topic and an archive that are a measurement's own.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    prefix: String,
    pub(crate) database: String,
}

/// A running chat-api. Dropped = killed.
pub(crate) struct Replica {
    part: Part,
    pub(crate) address: SocketAddr,
    admin: String,
}

impl Place {
    /// The topic with messages.
    pub(crate) fn topic(&self) -> String {
        format!("{}chat-messages", self.prefix)
    }
}

impl Site {
    /// Starts the servers, on the processors of this process.
    pub(crate) async fn open(cores: &Cores) -> Result<Self> {
        let files = tempfile::tempdir().context("no temporary directory")?;
        let kafka = kafka::Broker::start_private(files.path()).await?;
        let mongodb = server::ReplicaSet::start_private(files.path()).await?;
        let issuer = Issuer::start().await?;
        let tokens = issuer.tokens(PEOPLE)?;
        let client = Client::with_uri_str(mongodb.uri()).await?;
        let cores = cores.clone();
        let mut site = Self { kafka, mongodb, issuer, tokens, cores, client, sample: None, files };
        let place = site.place().await?;
        let replica = site.serve(&place).await?;
        site.sample = Some(site.take_sample(&place, &replica).await?);
        replica.stop().await?;
        Ok(site)
    }

    /// Sends a message and looks at it.
    async fn take_sample(&self, place: &Place, replica: &Replica) -> Result<Sample> {
        let (address, tokens) = (replica.address, &self.tokens[..1]);
        let path = socket::Path::Loopback;
        let sockets = socket::open_many(1, address, Dialect::Chat, tokens, path).await?;
        let mut socket = sockets.into_iter().next().context("one socket was opened")?;
        let pool = Pool::open(address, 1).await?;
        pool.ask(&request(NONE, &tokens[0]), 202).await?;
        let event = socket.wait_for(&mark(NONE)).await?.to_string();
        self.archived_all(place, 1).await?;
        let document = self.messages(place).find_one(doc! {}).await?.context("it is archived")?;
        Sample::new(event, document)
    }

    /// Makes a place: a topic and a database with names that nobody used.
    pub(crate) async fn place(&self) -> Result<Place> {
        let name = name::unique("bench");
        let place = Place { prefix: format!("{name}-"), database: name };
        self.program(&place)?
            .args(["topics", "ensure"])
            .env("KAFKA_PARTITIONS", PARTITIONS.to_string())
            .env("KAFKA_REPLICATION_FACTOR", "1")
            .env("KAFKA_MIN_INSYNC_REPLICAS", "1")
            .run(&self.file("log/topics.log"))
            .await?;
        Ok(place)
    }

    /// Starts a replica on the processor of the service.
    pub(crate) async fn serve(&self, place: &Place) -> Result<Replica> {
        self.serve_with(place, &[]).await
    }

    /// The same with these variables.
    pub(crate) async fn serve_with(
        &self,
        place: &Place,
        variables: &[(&str, &str)],
    ) -> Result<Replica> {
        let [api, admin] = [ports::free()?, ports::free()?].map(|port| format!("127.0.0.1:{port}"));
        let program = self
            .program(place)?
            .args(["serve"])
            .env("CHAT_LISTEN", &api)
            .env("ADMIN_LISTEN", &admin)
            .env("MONGODB_URI", self.mongodb.uri())
            .env("MONGODB_DATABASE", &place.database)
            .env("DEX_ISSUER_URL", self.issuer.url())
            .env("LOG_LEVEL", "warn")
            .env("CHAT_WRITES", WRITES)
            // Nobody has to learn of a stop.
            .env("CHAT_DRAIN_PAUSE", "0")
            .env("CHAT_DRAIN_OVER", "0")
            .on_cores(&self.cores.service);
        let program =
            variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        let ready = format!("http://{admin}/ready");
        let ready = probe(move || {
            let ready = ready.clone();
            async move { scrape::get(&ready).await.map(drop) }
        });
        let part = Part::new(name::unique("chat"), program, self.files.path(), ready);
        part.start().await?;
        Ok(Replica { part, address: api.parse()?, admin })
    }

    fn program(&self, place: &Place) -> Result<Program> {
        Ok(Program::new(checkout::binary("chat-api")?)
            .env("KAFKA_BROKERS", self.kafka.brokers())
            .env("KAFKA_TOPIC_PREFIX", &place.prefix))
    }

    /// What a message looks like everywhere.
    pub(crate) fn sample(&self) -> Result<&Sample> {
        self.sample.as_ref().context("the sample is the first thing that is taken")
    }

    /// A file among those that go with the site.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The directory of these files.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// The database of a place.
    pub(crate) fn database(&self, place: &Place) -> mongodb::Database {
        self.client.database(&place.database)
    }

    /// The archive's messages of a place.
    pub(crate) fn messages(&self, place: &Place) -> Collection<Document> {
        self.database(place).collection("messages")
    }

    /// How many messages the archive of a place has, as MongoDB counts along.
    pub(crate) async fn archived(&self, place: &Place) -> Result<u64> {
        Ok(self.messages(place).estimated_document_count().await?)
    }

    /// Waits until the archive has `count` messages, and fails if it has more.
    pub(crate) async fn archived_all(&self, place: &Place, count: u64) -> Result<()> {
        let deadline = Instant::now() + CATCH_UP;
        while self.archived(place).await? < count && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        let found = self.messages(place).count_documents(Document::new()).await?;
        ensure!(found == count, "{found} messages are archived instead of {count}");
        Ok(())
    }

    /// Removes a place's archive: the next measurement has the memory to itself.
    pub(crate) async fn forget(&self, place: &Place) -> Result<()> {
        Ok(self.database(place).drop().await?)
    }
}

impl Replica {
    fn pid(&self) -> Result<i32> {
        match self.part.state() {
            State::Running(pid) => Ok(pid),
            _ => bail!("chat-api ended; the last lines of its log:\n{}", self.part.last_lines(20)),
        }
    }

    /// The processor time it has used, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        Ok(usage::cpu_time(self.pid()?)?.as_secs_f64())
    }

    /// Its resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 bytes")]
        Ok(usage::memory(self.pid()?)? as f64)
    }

    /// Everything that it counts, by the name with its labels.
    async fn metrics(&self) -> Result<BTreeMap<String, f64>> {
        scrape::metrics(&self.admin).await
    }

    /// A counter without a label. One that is not told was never increased.
    pub(crate) async fn counter(&self, name: &str) -> Result<f64> {
        Ok(self.metrics().await?.get(name).copied().unwrap_or_default())
    }

    /// One of these that has no label.
    pub(crate) async fn metric(&self, name: &str) -> Result<f64> {
        let metrics = self.metrics().await?;
        metrics.get(name).copied().with_context(|| format!("chat-api does not tell {name}"))
    }

    pub(crate) async fn stop(self) -> Result<()> {
        ensure!(self.part.stop().await, "chat-api had to be killed");
        Ok(())
    }
}
