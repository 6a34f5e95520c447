//! Puts the parts together: `build` checks and binds, `run` serves.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use auth_proto::connector::v1::password_connector_server::PasswordConnectorServer;
use chrono::{DateTime, Utc};
use rand::RngExt as _;
use secrecy::SecretString;
use service_process::admin::{Admin, Condition, Readiness};
use service_process::lifecycle::{Lifecycle, Tasks};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::{info, warn};

use crate::audit::Ids;
use crate::config::{ServeArgs, StoreArgs};
use crate::grpc::tls::{self, InvalidTls, Tls};
use crate::grpc::{self, ConnectorService, SERVICE_NAME};
use crate::login::{Causes, Logins};
use crate::metrics;
use crate::password::{Cost, Pool};
use crate::store::{InvalidDsn, Store};

/// How often the database is asked whether it answers. Health follows within this time and one
/// step's limit.
const PING_EVERY: Duration = Duration::from_secs(1);

/// The largest request that is read: name, password and ids have limits far below.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// How long a caller may use one connection, and how long the calls on it may then still take. A
/// caller looks for replicas when it connects, so a new replica gets its share of logins within
/// that time. Dex gives up on a login after 8 s.
const CONNECTION_AGE: (Duration, Duration) = (Duration::from_mins(5), Duration::from_secs(10));

/// Calls under way on one connection; a caller keeps further ones back. Each replica of Dex has one
/// connection here, and 1,024 refused logins that are padded for half a second are 2,000 a second,
/// more than the limits let in.
const MAX_STREAMS: u32 = 1024;

/// How long an HTTP/2 peer may be silent before it is asked whether it lives, and how long it may
/// take to answer: half-open connections go.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// The service, bound and not yet running.
#[derive(Debug)]
pub struct App {
    listener: TcpListener,
    admin: Admin,
    tls: Option<Tls>,
    store: Store,
    pool: Pool,
    prompt: String,
    reflection: bool,
}

/// A configuration that parses and cannot be used.
#[derive(Debug, Error)]
pub enum InvalidConfig {
    /// The database's address.
    #[error("POSTGRES_DSN")]
    Dsn(#[from] InvalidDsn),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] InvalidTls),
}

/// Opens the store that the configuration names.
pub fn open_store(args: &StoreArgs) -> Result<Store, InvalidConfig> {
    Store::open(&args.postgres_dsn).map_err(Into::into)
}

/// Checks all that can be checked without binding or dialling.
pub fn check(args: &ServeArgs) -> Result<Option<Tls>, InvalidConfig> {
    Store::open(&args.store.postgres_dsn)?;
    args.tls_files().map(Tls::load).transpose().map_err(Into::into)
}

/// A pool with a thread for each processor that this process may use.
pub async fn start_pool(cost: Cost) -> Pool {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    #[expect(clippy::disallowed_methods, reason = "the outermost layer opens the source")]
    let unguessable = format!("{:x}", rand::rng().random::<u128>());
    Pool::start(threads, cost, SecretString::from(unguessable)).await
}

/// Ids from the system's randomness.
#[must_use]
pub fn system_ids() -> Ids {
    #[expect(clippy::disallowed_methods, reason = "the outermost layer opens the source")]
    Ids::from_source(&mut rand::rng())
}

/// The system's clock.
#[must_use]
pub fn system_clock() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "the outermost layer reads the clock")]
    Utc::now()
}

impl App {
    /// Checks the configuration and binds its ports; port 0 lets the system choose.
    pub async fn build(args: &ServeArgs) -> anyhow::Result<Self> {
        let tls = check(args)?;
        let store = open_store(&args.store)?;
        let address = args.connector_grpc_listen;
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("CONNECTOR_GRPC_LISTEN: {address} cannot be bound"))?;
        let admin = Admin::bind(args.admin_listen).await?;
        let pool = start_pool(args.passwords.bcrypt_cost).await;
        let (prompt, reflection) = (args.connector_prompt.clone(), args.connector_reflection);
        Ok(Self { listener, admin, tls, store, pool, prompt, reflection })
    }

    /// The address of the connector.
    pub fn grpc_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The address of the admin port.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.local_addr()
    }

    /// Starts to serve under this life.
    pub async fn run(self, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        let tasks = lifecycle.tasks();
        let address = self.listener.local_addr()?;
        let readiness = Readiness::new();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
        follow_database(&tasks, self.store.clone(), readiness.condition("database"), reporter);
        self.admin.serve(&tasks, readiness);
        metrics::describe();

        let logins = Logins::new(self.store, self.pool, system_ids(), tasks.clone());
        let service = ConnectorService::new(Arc::new(logins), self.prompt, system_clock);
        let service =
            PasswordConnectorServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let router = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE.0))
            .http2_keepalive_timeout(Some(KEEPALIVE.1))
            .max_connection_age(CONNECTION_AGE.0)
            .max_connection_age_grace(CONNECTION_AGE.1)
            .max_concurrent_streams(MAX_STREAMS)
            .add_optional_service(self.reflection.then(grpc::reflection))
            .add_service(health)
            .add_service(service);
        let stop = tasks.stopping().clone().cancelled_owned();
        if let Some(tls) = self.tls {
            let connections = tls::accept(self.listener, tls, &tasks);
            until_aborted(&tasks, router.serve_with_incoming_shutdown(connections, stop));
        } else {
            warn!("serving without TLS: whoever reaches the port may guess passwords");
            let connections = TcpListenerStream::new(self.listener);
            until_aborted(&tasks, router.serve_with_incoming_shutdown(connections, stop));
        }
        info!(%address, "auth-connector serves");
        Ok(())
    }
}

/// Serves until a stop has let the calls under way finish; a peer that never hangs up is left.
fn until_aborted(
    tasks: &Tasks,
    serving: impl Future<Output = Result<(), tonic::transport::Error>> + Send + 'static,
) {
    let aborting = tasks.aborting().clone();
    tasks.worker("grpc", async move {
        aborting.run_until_cancelled(serving).await.unwrap_or(Ok(())).map_err(Into::into)
    });
}

/// Lets health and readiness follow the database.
fn follow_database(tasks: &Tasks, store: Store, condition: Condition, health: HealthReporter) {
    let stopping = tasks.stopping().clone();
    tasks.worker("database-health", async move {
        let mut tick = tokio::time::interval(PING_EVERY);
        let mut was_up = None;
        while stopping.run_until_cancelled(tick.tick()).await.is_some() {
            let answer = store.ping().await;
            let up = answer.is_ok();
            if was_up == Some(up) {
                continue;
            }
            was_up = Some(up);
            let status = if up { ServingStatus::Serving } else { ServingStatus::NotServing };
            health.set_service_status(SERVICE_NAME, status).await;
            health.set_service_status("", status).await;
            match answer {
                Ok(()) => condition.met(),
                Err(error) => {
                    warn!(error = %Causes(&error), "the database does not answer");
                    condition.unmet("the database does not answer");
                }
            }
        }
        health.set_service_status("", ServingStatus::NotServing).await;
        health.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        Ok(())
    });
}
