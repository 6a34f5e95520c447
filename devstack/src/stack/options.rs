//! What a stack is made of.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;
use tempfile::TempDir;

use crate::ports::Ports;
use crate::{checkout, name, shared};

/// A server of the stack's own, or one that is there already.
#[derive(Clone, Debug)]
pub enum Source {
    /// Start one.
    Own,
    /// Use the one at this address.
    Given(String),
}

impl Source {
    fn from_env(variable: &str) -> Self {
        shared::given(variable).map_or(Self::Own, Self::Given)
    }
}

/// What a stack calls its databases and topics.
#[derive(Clone, Debug)]
pub struct Names {
    /// The connector's database and role.
    pub accounts: String,
    /// Dex's database and role.
    pub dex: String,
    /// What stands before each topic's name.
    pub topic_prefix: String,
    /// The archive's database.
    pub mongodb_database: String,
}

impl Names {
    fn project() -> Self {
        Self {
            accounts: "accounts".into(),
            dex: "dex".into(),
            topic_prefix: String::new(),
            mongodb_database: "chat".into(),
        }
    }

    fn unique() -> Self {
        let own = name::unique("stack");
        Self {
            accounts: format!("{own}_accounts"),
            dex: format!("{own}_dex"),
            topic_prefix: format!("{own}."),
            mongodb_database: own,
        }
    }
}

/// A person to seed.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields of the seed file, described with the command")]
pub struct User {
    pub username: String,
    pub email: String,
    pub email_verified: bool,
    pub full_name: String,
    pub groups: Vec<String>,
    pub password: String,
    pub is_active: bool,
}

impl User {
    /// An active person with a verified address.
    #[must_use]
    pub fn new(username: &str, full_name: &str, groups: &[&str], password: &str) -> Self {
        Self {
            username: username.into(),
            email: format!("{username}@example.com"),
            email_verified: true,
            full_name: full_name.into(),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            password: password.into(),
            is_active: true,
        }
    }
}

/// The two people of every stack. Their passwords are no secret: they are the same in every
/// checkout, and the stack listens on this machine only.
#[must_use]
pub fn demo_users() -> Vec<User> {
    vec![
        User::new("alice", "Alice Arnold", &["staff", "editors"], "alice walks by the sea"),
        User::new("bob", "Bob Brown", &["staff"], "bob reads in the garden"),
        User::new("clara", "Clara Clark", &["staff"], "clara climbs in the hills"),
    ]
}

/// What a stack is made of.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct StackOptions {
    /// Where its state lies.
    pub state: PathBuf,
    /// Where its parts listen; one chat replica per pair in `ports.chat`.
    pub ports: Ports,
    /// What its databases and topics are called.
    pub names: Names,
    /// The PostgreSQL server.
    pub postgres: Source,
    /// The Kafka broker.
    pub kafka: Source,
    /// The MongoDB server.
    pub mongodb: Source,
    /// Whether Dex has the connector, and the connector runs.
    pub local_accounts: bool,
    /// Whether the mail sink runs.
    pub mail: bool,
    /// Whether the app is served; its port has to be free then.
    pub app: bool,
    /// Whether Dex knows [`dex::OTHER_CLIENT_ID`].
    pub other_client: bool,
    /// Who can sign in with a Local Account.
    pub users: Vec<User>,
    /// Removed with the stack.
    _temporary: Option<TempDir>,
}

impl StackOptions {
    /// What `./dev up` runs: the project's ports, state in `.dev/`, servers of its own unless
    /// `POSTGRES_DSN`, `KAFKA_BROKERS`, `MONGODB_URI` name others.
    pub fn project(chat_replicas: usize) -> Result<Self> {
        Ok(Self {
            state: checkout::state(),
            ports: Ports::project(chat_replicas)?,
            names: Names::project(),
            postgres: Source::from_env("POSTGRES_DSN"),
            kafka: Source::from_env("KAFKA_BROKERS"),
            mongodb: Source::from_env("MONGODB_URI"),
            local_accounts: true,
            mail: true,
            app: true,
            other_client: false,
            users: demo_users(),
            _temporary: None,
        })
    }

    /// A stack for a test: free ports, a state directory and names of its own, the shared
    /// servers of the test run. A test that stops a server sets it to [`Source::Own`].
    pub fn test(chat_replicas: usize) -> Result<Self> {
        Ok(Self {
            postgres: Source::Given(shared::postgres_dsn()?),
            kafka: Source::Given(shared::kafka_brokers()?),
            mongodb: Source::Given(shared::mongodb_uri()?),
            ..Self::apart(chat_replicas)?
        })
    }

    /// The same with servers of its own.
    pub fn apart(chat_replicas: usize) -> Result<Self> {
        let temporary = tempfile::Builder::new()
            .prefix("stack-")
            .tempdir()
            .context("no temporary directory")?;
        Ok(Self {
            state: temporary.path().to_path_buf(),
            ports: Ports::any(chat_replicas)?,
            names: Names::unique(),
            postgres: Source::Own,
            kafka: Source::Own,
            mongodb: Source::Own,
            local_accounts: true,
            mail: false,
            app: false,
            other_client: true,
            users: demo_users(),
            _temporary: Some(temporary),
        })
    }
}
