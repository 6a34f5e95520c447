//! The servers that the chart is told of as yours: they run on this machine, beside the cluster.

use std::fs;
use std::net::SocketAddrV4;
use std::path::Path;

use anyhow::{Context as _, Result};
use url::Url;

use super::addresses::{ALL, HOST};
use crate::{kafka, mail, mongodb, name, postgres};

/// The owner of the accounts database.
const OWNER: &str = "accounts";
/// The role that auth-connector serves as.
pub(super) const SERVICE_ROLE: &str = "accounts_service";
/// Dex's role and database.
const DEX: &str = "dex";

/// PostgreSQL, Kafka, MongoDB and a mail sink, listening on the link to the node, which nobody else reaches (`network`):
/// PostgreSQL asks for a password, the others for nothing, as in the local stack.
pub(super) struct Stores {
    postgres: postgres::Server,
    kafka: kafka::Broker,
    mongodb: mongodb::ReplicaSet,
    mail: mail::Sink,
    passwords: [String; 3],
}

impl Stores {
    /// Starts them with empty databases.
    pub(super) async fn start(state: &Path) -> Result<Self> {
        fs::create_dir_all(state).with_context(|| format!("{} cannot be made", state.display()))?;
        let at = |port| SocketAddrV4::new(HOST, port);
        let stores = Self {
            postgres: postgres::Server::prepare_at(state, at(5432), Some(ALL))?,
            kafka: kafka::Broker::prepare_at(state, at(9092))?,
            mongodb: mongodb::ReplicaSet::prepare_at(state, at(27017))?,
            mail: mail::Sink::prepare_at(state, (at(1025), at(1080)), mail::Speech::Plain)?,
            passwords: std::array::from_fn(|_| name::random_token(24)),
        };
        let Self { postgres, kafka, mongodb, mail, .. } = &stores;
        tokio::try_join!(postgres.boot(), kafka.boot(), mongodb.boot(), mail.start())?;
        let (admin, [owner, service, dex]) = (stores.postgres.dsn(), &stores.passwords);
        postgres::ensure_owned_database(admin, OWNER, owner).await?;
        postgres::ensure_owned_database(admin, DEX, dex).await?;
        postgres::ensure_role(admin, SERVICE_ROLE, service).await?;
        postgres::allow(admin, SERVICE_ROLE, OWNER).await?;
        Ok(stores)
    }

    /// The DSN of the accounts database's owner, seen from this machine.
    pub(super) fn owner_dsn(&self) -> Result<Url> {
        postgres::owned_dsn(self.postgres.dsn(), OWNER, &self.passwords[0])
    }

    /// The password of the role that serves.
    pub(super) fn service_password(&self) -> &str {
        &self.passwords[1]
    }

    /// The password of Dex's role.
    pub(super) fn dex_password(&self) -> &str {
        &self.passwords[2]
    }

    /// The bootstrap brokers.
    pub(super) fn brokers(&self) -> &str {
        self.kafka.brokers()
    }

    /// Where the mail sink shows its mail.
    pub(super) fn inbox(&self) -> String {
        self.mail.inbox()
    }

    /// The replica set's URI.
    pub(super) fn mongodb_uri(&self) -> &str {
        self.mongodb.uri()
    }
}
