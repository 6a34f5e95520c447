//! A chat of a test's own: topic, database and issuer, and replicas on them.

pub(crate) mod archive;
pub(crate) mod changer;
pub(crate) mod issuer;
pub(crate) mod program;
pub(crate) mod records;
pub(crate) mod room;
pub(crate) mod socket;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use chat_api::app::App;
use chat_api::config::{
    Config, GuestsArgs, HttpArgs, HubArgs, LimitsArgs, LogArgs, MongoArgs, PresenceArgs, ReadsArgs,
    SecurityArgs, ServeArgs, SocketsArgs, TokensArgs, WritesArgs,
};
use chat_api::ingest::NewKind;
use chat_api::kafka::{Log, Partitioner, Security, TopicShape, Topics};
use chat_api::message::{Partition, RoomId};
use chat_api::rate::Rate;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use service_process::lifecycle::{Lifecycle, Tasks};
use service_process::listener::ListenerArgs;
use service_process::proxies::TrustedProxies;
pub(crate) use service_process_testing::wait::{HANG, eventually};
use tokio::task::JoinHandle;

use crate::setup::issuer::Issuer;
use crate::setup::socket::Socket;

pub(crate) const ORIGIN: &str = "https://chat.example";
pub(crate) const PARTITIONS: u16 = 3;
pub(crate) const SHAPE: TopicShape =
    TopicShape { partitions: PARTITIONS, replication_factor: 1, min_insync_replicas: 1 };

pub(crate) struct Setup {
    pub(crate) issuer: Issuer,
    pub(crate) log: Log,
    pub(crate) mongodb_uri: String,
    pub(crate) database: String,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let brokers = devstack::shared::kafka_brokers().unwrap();
        let mongodb_uri = devstack::shared::mongodb_uri().unwrap();
        Self::on(&brokers, &mongodb_uri).await
    }

    pub(crate) async fn on(brokers: &str, mongodb_uri: &str) -> Self {
        let name = devstack::name::unique("chat");
        let log = Log {
            brokers: brokers.to_owned(),
            prefix: format!("{name}-"),
            security: Security::default(),
            generation: 0,
        };
        eventually("the topic is there", async || {
            Topics::new(&log, SHAPE).unwrap().ensure().await.ok()
        })
        .await;
        Self {
            issuer: Issuer::start().await,
            log,
            mongodb_uri: mongodb_uri.to_owned(),
            database: name,
        }
    }

    pub(crate) fn config(&self) -> Config {
        let many = NonZeroU32::new(1_000_000).unwrap();
        Config::new(ServeArgs {
            http: HttpArgs {
                chat_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                listener: ListenerArgs { http_connections: 20_000, http_keep_alive: 75 },
                admin_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
                chat_allowed_origins: vec![HeaderValue::from_static(ORIGIN)],
                chat_trust_traceparent: false,
            },
            log: LogArgs {
                kafka_brokers: self.log.brokers.clone(),
                kafka_topic_prefix: self.log.prefix.clone(),
                security: SecurityArgs::default(),
            },
            chat_replica: None,
            mongodb: MongoArgs {
                mongodb_uri: self.mongodb_uri.clone().into(),
                mongodb_database: self.database.clone(),
            },
            reads: ReadsArgs { mongodb_read_connections: None },
            tokens: TokensArgs {
                dex_issuer_url: self.issuer.url.clone(),
                dex_audience: "chat-api".to_owned(),
                dex_discovery_url: None,
            },
            guests: GuestsArgs {
                chat_guests: false,
                trusted_proxy_cidrs: TrustedProxies::default(),
                trusted_proxy_header: HeaderName::from_static("x-real-ip"),
            },
            // Nobody distributes connections here.
            sockets: SocketsArgs { chat_drain_pause: 0, chat_drain_over: 0 },
            presence: PresenceArgs { chat_presence_snapshot: 10, chat_presence_grace: 10 },
            hub: HubArgs { chat_ring_bytes: 1 << 20, chat_rooms_bytes: 256 << 20 },
            // Tests speak and read faster than people; what the limits are has tests of its own.
            limits: LimitsArgs {
                limit_sends_per_second: many,
                limit_sends_burst: many,
                limit_reads_per_second: many,
                limit_reads_burst: many,
                limit_rooms_per_day: many,
                limit_frames_per_second: Rate::FRAMES.per_second,
                limit_frames_burst: Rate::FRAMES.burst,
            },
            // All that there is: what is closed has tests of its own.
            writes: WritesArgs { chat_writes: NewKind::ALL.into() },
        })
    }

    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(|_| {}).await
    }

    pub(crate) async fn replica_with(&self, change: impl FnOnce(&mut Config)) -> Replica {
        let mut config = self.config();
        change(&mut config);
        let replica = Replica::start(config).await;
        eventually("the replica is ready", async || {
            let status = replica.http.get(replica.url("/v1/readyz")).send().await.ok()?.status();
            (status == 200).then_some(())
        })
        .await;
        replica
    }

    pub(crate) async fn collection(&self, name: &str) -> Collection<Document> {
        let client = mongodb::Client::with_uri_str(&self.mongodb_uri).await.unwrap();
        client.database(&self.database).collection(name)
    }

    /// Every stored content of the lobby in the order of the log.
    pub(crate) async fn stored(&self) -> Vec<String> {
        use futures_util::TryStreamExt as _;
        let messages = self.collection("messages").await;
        let found =
            messages.find(doc! { "room_id": "lobby" }).sort(doc! { "pos": 1 }).await.unwrap();
        let documents: Vec<Document> = found.try_collect().await.unwrap();
        documents.iter().map(|document| document.get_str("content").unwrap().to_owned()).collect()
    }

    pub(crate) async fn stored_count(&self, count: usize) -> Vec<String> {
        eventually("everything is stored", async || {
            Some(self.stored().await).filter(|stored| stored.len() >= count)
        })
        .await
    }

    pub(crate) fn lobby_partition() -> Partition {
        Partitioner::new(usize::from(PARTITIONS)).unwrap().of(&RoomId::lobby())
    }

    /// Deletes the topic and creates it again, empty.
    pub(crate) async fn make_log_anew(&self) {
        let mut config = ClientConfig::new();
        let admin: AdminClient<DefaultClientContext> =
            config.set("bootstrap.servers", &self.log.brokers).create().unwrap();
        admin.delete_topics(&[&self.log.messages()], &AdminOptions::new()).await.unwrap();
        eventually("the topic is there again", async || {
            Topics::new(&self.log, SHAPE).unwrap().ensure().await.ok()
        })
        .await;
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let (log, uri, database) =
            (self.log.clone(), self.mongodb_uri.clone(), self.database.clone());
        let clean = async move {
            let mut config = ClientConfig::new();
            let admin: AdminClient<DefaultClientContext> =
                config.set("bootstrap.servers", &log.brokers).create().unwrap();
            let topics = [
                log.messages(),
                log.dead_letters(),
                log.markers(),
                log.presence(),
                log.ephemeral(),
            ];
            let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
            let _ = admin.delete_topics(&topics, &AdminOptions::new()).await;
            if let Ok(client) = mongodb::Client::with_uri_str(&uri).await {
                let _ = client.database(&database).drop().await;
            }
        };
        // A runtime of its own: the test's may be ending, and may have one thread only.
        let clean = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let _ = runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(5), clean).await });
        });
        let _ = clean.join();
    }
}

/// A running App.
pub(crate) struct Replica {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) http: reqwest::Client,
    tasks: Tasks,
    life: JoinHandle<ExitCode>,
}

impl Replica {
    pub(crate) async fn start(config: Config) -> Self {
        let app = App::build(config).await.unwrap();
        let (address, admin) = (app.address(), app.admin_address());
        let lifecycle = Lifecycle::new(Duration::from_secs(20));
        let tasks = lifecycle.tasks();
        app.run(&lifecycle);
        let life = tokio::spawn(lifecycle.run_until_stopped());
        Self { address, admin, http: reqwest::Client::new(), tasks, life }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn ask_to_stop(&self) {
        self.tasks.stop();
    }

    /// Stops in order, and says with which code.
    pub(crate) async fn stop(self) -> ExitCode {
        self.tasks.stop();
        tokio::time::timeout(HANG, self.life).await.expect("the replica stops").unwrap()
    }

    /// Waits until the history goes up to this cursor. Documents are stored before it says so.
    pub(crate) async fn includes(&self, token: &str, cursor: &str) {
        eventually("the history includes it", async || {
            let page = self.get(token, "/v1/messages?limit=1").await;
            page.headers().get("x-cursor").filter(|up_to| *up_to == cursor).map(|_| ())
        })
        .await;
    }

    pub(crate) fn post(&self, token: &str, body: &Value) -> RequestBuilder {
        self.http.post(self.url("/v1/messages")).bearer_auth(token).json(body)
    }

    pub(crate) async fn say(&self, token: &str, content: &str) -> Value {
        let response = self.post(token, &json!({ "content": content })).send().await.unwrap();
        assert_eq!(response.status(), 202);
        response.json().await.unwrap()
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Response {
        self.http.get(self.url(path)).bearer_auth(token).send().await.unwrap()
    }

    /// The history of the lobby once it holds `count` messages.
    pub(crate) async fn history(&self, token: &str, count: usize) -> Vec<Value> {
        eventually("the history holds it", async || {
            let page: Vec<Value> =
                self.get(token, "/v1/messages?limit=200").await.json().await.unwrap();
            Some(page).filter(|page| page.len() >= count)
        })
        .await
    }

    pub(crate) async fn socket(&self, token: &str) -> Socket {
        let mut socket = Socket::connect(self, Some(token)).await;
        socket.expect("ready").await;
        socket
    }

    pub(crate) async fn metrics(&self) -> String {
        let response =
            self.http.get(format!("http://{}/metrics", self.admin)).send().await.unwrap();
        response.text().await.unwrap()
    }

    pub(crate) async fn readiness(&self) -> Value {
        let response = self.http.get(format!("http://{}/ready", self.admin)).send().await.unwrap();
        response.json().await.unwrap()
    }
}

pub(crate) async fn assert_problem(response: Response, status: u16, name: &str) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["type"], format!("urn:problem-type:chat:{name}"), "{problem}");
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    problem
}
