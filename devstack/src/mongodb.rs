//! MongoDB: a replica set of one.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;

use crate::part::{Part, probe};
use crate::program::Program;
use crate::{install, ports};

const SET: &str = "rs0";

/// A server with data of its own; killed when dropped.
pub struct ReplicaSet {
    part: Part,
    uri: String,
}

impl ReplicaSet {
    /// Starts a server whose state lies in a directory, on a port.
    pub async fn start(state: &Path, port: u16) -> Result<Self> {
        let server = Self::prepare(state, port)?;
        server.boot().await?;
        Ok(server)
    }

    /// Starts a private server on a port nobody listens on.
    pub async fn start_private(state: &Path) -> Result<Self> {
        Self::start(state, ports::free()?).await
    }

    pub(crate) fn prepare(state: &Path, port: u16) -> Result<Self> {
        Self::prepare_at(state, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
    }

    /// A server that listens at this address, and is reached by it from everywhere.
    pub(crate) fn prepare_at(state: &Path, address: SocketAddrV4) -> Result<Self> {
        let data: PathBuf = state.join("mongodb-data");
        fs::create_dir_all(&data).with_context(|| format!("{} cannot be made", data.display()))?;
        let program = Program::new(install::mongod())
            .args(["--dbpath".as_ref(), data.as_os_str()])
            .args(["--port", &address.port().to_string(), "--bind_ip", &address.ip().to_string()])
            .args(["--replSet", SET, "--wiredTigerCacheSizeGB", "0.25"])
            .args(["--oplogSize", "128", "--nounixsocket", "--quiet"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        let ready = probe(move || primary(address));
        Ok(Self {
            part: Part::new("mongodb", program, state, ready),
            uri: format!("mongodb://{address}/?replicaSet={SET}"),
        })
    }

    pub(crate) async fn boot(&self) -> Result<()> {
        self.part.start().await
    }

    /// The replica set's URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }
}

impl Deref for ReplicaSet {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.part
    }
}

/// Succeeds when the server is a writable primary under this address, initiating the set when it
/// is new and telling it the address when its port has moved.
async fn primary(address: SocketAddrV4) -> Result<()> {
    let client = client(&format!("mongodb://{address}/?directConnection=true")).await?;
    let admin = client.database("admin");
    let address = address.to_string();
    let config = doc! { "_id": SET, "members": [{ "_id": 0, "host": &address }] };
    let status = admin.run_command(doc! { "hello": 1 }).await?;
    if status.get_str("setName").is_err() && status.get_bool("isreplicaset").unwrap_or(false) {
        match admin.run_command(doc! { "replSetGetConfig": 1 }).await {
            Ok(known) => {
                let version = known.get_document("config")?.get_i32("version")?;
                let mut config = config;
                config.insert("version", version + 1);
                admin.run_command(doc! { "replSetReconfig": config, "force": true }).await?;
            }
            Err(_) => {
                admin.run_command(doc! { "replSetInitiate": config }).await?;
            }
        }
    }
    let status = admin.run_command(doc! { "hello": 1 }).await?;
    ensure!(status.get_bool("isWritablePrimary").unwrap_or(false), "MongoDB is not primary yet");
    ensure!(
        status.get_str("me").is_ok_and(|me| me == address),
        "MongoDB does not know its address yet"
    );
    Ok(())
}

/// Succeeds when a given MongoDB answers.
pub(crate) async fn serves(uri: &str) -> Result<()> {
    let client = client(uri).await?;
    let answer: Document = client.database("admin").run_command(doc! { "ping": 1 }).await?;
    ensure!(answer.get("ok").is_some(), "MongoDB gives no answer to ping");
    Ok(())
}

async fn client(uri: &str) -> Result<Client> {
    // An error of the parser might repeat the URI with its password.
    let mut options =
        ClientOptions::parse(uri).await.ok().context("the MongoDB URI is malformed")?;
    options.server_selection_timeout = Some(Duration::from_secs(2));
    options.connect_timeout = Some(Duration::from_secs(2));
    Client::with_options(options).context("no MongoDB client")
}
