//! The two services of this workspace: their parts, and the commands run before they start.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;
use url::Url;

use super::options::{Names, StackOptions, User};
use crate::checkout;
use crate::http;
use crate::keys::KeyFiles;
use crate::part::{Part, probe};
use crate::pki::Pki;
use crate::ports::Ports;
use crate::program::Program;
use crate::secrets::{Secrets, write_private};

/// What may come into the log beside messages (`CHAT_WRITES`): all that the programs of this checkout read.
pub const WRITES: &str = "edit,delete,react,pin,reply,room,member,marker";

/// The partitions of a local topic: enough to see that order holds per room only.
const PARTITIONS: &str = "6";

/// auth-connector with its database.
fn connector(dsn: &str) -> Result<Program> {
    Ok(Program::new(checkout::binary("auth-connector")?).env("POSTGRES_DSN", dsn))
}

/// The part that serves the accounts, in all its roles.
pub(super) fn connector_part(
    state: &Path,
    dsn: &Url,
    (options, issuer): (&StackOptions, &str),
    pki: &Pki,
) -> Result<Part> {
    let ports = &options.ports;
    let keys = KeyFiles::get_or_create(state)?;
    let program = connector(dsn.as_str())?
        .args(["serve"])
        .env("CONNECTOR_GRPC_LISTEN", local(ports.connector))
        .env("ADMIN_LISTEN", local(ports.connector_admin))
        .env("TLS_CERT_FILE", &pki.connector.server.cert)
        .env("TLS_KEY_FILE", &pki.connector.server.key)
        .env("TLS_CA_FILE", &pki.connector.ca)
        .env("PEPPER_FILE", keys.peppers)
        .env("GUARD_KEY_FILE", keys.guard_key)
        .env("CODE_KEY_FILE", keys.code_key)
        .env("ACCOUNTS_LISTEN", local(ports.accounts))
        .env("DEX_API_ADDRESS", local(ports.dex_admin))
        .env("DEX_API_CA_FILE", &pki.dex_admin.ca)
        .env("DEX_API_CERT_FILE", &pki.dex_admin.client.cert)
        .env("DEX_API_KEY_FILE", &pki.dex_admin.client.key)
        // The cost of one guess on a real host; local sign-ins need not wait for it.
        .env("BCRYPT_COST", "10");
    // The pages mail codes, so there are none without mail.
    let program = if options.mail {
        program
            .env("SMTP_ADDRESS", format!("localhost:{}", ports.smtp))
            .env("SMTP_ENCRYPTION", "none")
            .env("MAIL_FROM", "Local Accounts <no-reply@localhost>")
            .env("ACCOUNTS_PUBLIC_URL", ports.accounts_url())
            .env("ACCOUNTS_APP_URL", format!("http://localhost:{}/", ports.web))
            .env("ACCOUNTS_APP_ORIGINS", format!("http://localhost:{}", ports.web))
            .env("DEX_ISSUER_URL", issuer)
            .env("ACCOUNTS_CLIENT_SECRET_FILE", Secrets::open(state)?.path("accounts-client"))
            .env("ACCOUNTS_SESSION_KEY_FILE", keys.session_keys)
    } else {
        program
    };
    Ok(Part::new("connector", program, state, ready(ports.connector_admin)))
}

/// Brings the tables up to date.
pub(super) async fn migrate(state: &Path, dsn: &str) -> Result<()> {
    connector(dsn)?
        .args(["migrate"])
        .run(&state.join("log/migrate.log"))
        .await
        .context("the database accounts is not migrated")
}

/// Creates the accounts of people with the command `seed`.
pub(super) async fn seed(state: &Path, dsn: &str, users: &[User]) -> Result<()> {
    #[derive(Serialize)]
    struct File<'a> {
        users: &'a [User],
    }
    let file = state.join("seed.yaml");
    let yaml = serde_yaml_ng::to_string(&File { users }).context("plain data becomes YAML")?;
    write_private(&file, &yaml)?;
    connector(dsn)?
        .args(["seed", "--allow-plain-passwords", "--file"])
        .args([&file])
        .env("BCRYPT_COST", "10")
        .env("PEPPER_FILE", KeyFiles::get_or_create(state)?.peppers)
        .run(&state.join("log/seed.log"))
        .await
        .context("the people are not seeded")
}

/// Where the chat API finds its log and its archive.
#[derive(Clone)]
pub(super) struct ChatStores<'a> {
    pub(super) brokers: &'a str,
    pub(super) mongodb: &'a str,
    pub(super) names: &'a Names,
}

impl ChatStores<'_> {
    fn program(&self) -> Result<Program> {
        Ok(Program::new(checkout::binary("chat-api")?)
            .env("KAFKA_BROKERS", self.brokers)
            .env("KAFKA_TOPIC_PREFIX", &self.names.topic_prefix))
    }

    /// Makes the topics with the command of the chat API.
    pub(super) async fn ensure_topics(&self, state: &Path) -> Result<()> {
        self.program()?
            .args(["topics", "ensure"])
            .env("KAFKA_PARTITIONS", PARTITIONS)
            .env("KAFKA_REPLICATION_FACTOR", "1")
            .env("KAFKA_MIN_INSYNC_REPLICAS", "1")
            .run(&state.join("log/topics.log"))
            .await
            .context("the topics are not made")
    }

    /// The part of one replica, counted from 1.
    pub(super) fn part(
        &self,
        state: &Path,
        replica: usize,
        ports: &Ports,
        issuer: &str,
    ) -> Result<Part> {
        let (api, admin) = ports.chat[replica - 1];
        let program = self
            .program()?
            .args(["serve"])
            .env("CHAT_LISTEN", local(api))
            .env("ADMIN_LISTEN", local(admin))
            .env("MONGODB_URI", self.mongodb)
            .env("MONGODB_DATABASE", &self.names.mongodb_database)
            .env("DEX_ISSUER_URL", issuer)
            .env("DEX_AUDIENCE", "chat-api")
            .env("CHAT_REPLICA", format!("chat-{replica}"))
            // Nobody distributes connections here, and stopping should be quick.
            .env("CHAT_DRAIN_PAUSE", "0")
            .env("CHAT_DRAIN_OVER", "0")
            // There is one release here.
            .env("CHAT_WRITES", WRITES)
            .env("CHAT_GUESTS", "on")
            .env("CHAT_ALLOWED_ORIGINS", format!("http://localhost:{}", ports.web));
        Ok(Part::new(format!("chat-{replica}"), program, state, ready(admin)))
    }
}

fn ready(admin_port: u16) -> crate::part::Probe {
    probe(
        move || async move { http::answers(&format!("http://127.0.0.1:{admin_port}/ready")).await },
    )
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}
