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
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;
use tracing::{info, warn};

use crate::accounts;
use crate::audit::Ids;
use crate::config::{MissingOption, Role, ServeArgs, StoreArgs};
use crate::dex_api::{DexApi, InvalidDexApi};
use crate::grpc::tls::{self, InvalidTls, Tls};
use crate::grpc::{ConnectorService, SERVICE_NAME};
use crate::login::{Causes, Logins};
use crate::password::{Cost, Pool};
use crate::store::{InvalidDsn, Store};
use crate::worker::Worker;

/// How often the database is asked whether it answers. Health follows within this time and one
/// step's limit.
const PING_EVERY: Duration = Duration::from_secs(1);

/// The largest request that is read: name, password and ids have limits far below.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// How long an HTTP/2 peer may be silent before it is asked whether it lives, and how long it may
/// take to answer: half-open connections go.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));

/// The service, bound and not yet running.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    store: Store,
    login: Option<Login>,
    accounts: Option<TcpListener>,
    /// What the worker calls.
    worker: Option<DexApi>,
}

/// What the role `login` needs.
#[derive(Debug)]
struct Login {
    listener: TcpListener,
    tls: Option<Tls>,
    pool: Pool,
    prompt: String,
}

/// What the files hold that the roles of this process need.
#[derive(Debug)]
pub struct Checked {
    tls: Option<Tls>,
    dex: Option<DexApi>,
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
    /// How Dex's admin API is called.
    #[error(transparent)]
    DexApi(#[from] InvalidDexApi),
    /// What a role cannot do without.
    #[error(transparent)]
    Missing(#[from] MissingOption),
}

/// Opens the store that the configuration names.
pub fn open_store(args: &StoreArgs) -> Result<Store, InvalidConfig> {
    Store::open(&args.postgres_dsn).map_err(Into::into)
}

/// Checks all that can be checked without binding or dialling.
pub fn check(args: &ServeArgs) -> Result<Checked, InvalidConfig> {
    Store::open(&args.store.postgres_dsn)?;
    let mut checked = Checked { tls: None, dex: None };
    if args.roles.has(Role::Login) {
        checked.tls = args.tls_files()?.map(Tls::load).transpose()?;
    }
    if args.roles.has(Role::Worker) {
        checked.dex = Some(DexApi::open(args.dex_api.settings()?)?);
    }
    Ok(checked)
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
    /// Checks the configuration and binds the ports of its roles; port 0 lets the system choose.
    pub async fn build(args: &ServeArgs) -> anyhow::Result<Self> {
        let Checked { tls, dex } = check(args)?;
        let store = open_store(&args.store)?;
        let admin = Admin::bind(args.admin_listen).await?;
        let mut app = Self { admin, store, login: None, accounts: None, worker: dex };
        if args.roles.has(Role::Login) {
            let listener = bind("CONNECTOR_GRPC_LISTEN", args.connector_grpc_listen).await?;
            let pool = start_pool(args.passwords.bcrypt_cost).await;
            let prompt = args.connector_prompt.clone();
            app.login = Some(Login { listener, tls, pool, prompt });
        }
        if args.roles.has(Role::Accounts) {
            app.accounts = Some(bind("ACCOUNTS_LISTEN", args.accounts_listen).await?);
        }
        Ok(app)
    }

    /// The address of the connector, if this process has the role `login`.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.login.as_ref().and_then(|login| login.listener.local_addr().ok())
    }

    /// The address of the accounts pages, if this process has the role `accounts`.
    #[must_use]
    pub fn accounts_addr(&self) -> Option<SocketAddr> {
        self.accounts.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The address of the admin port.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.local_addr()
    }

    /// Starts to serve under this life.
    pub async fn run(self, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        let tasks = lifecycle.tasks();
        let readiness = Readiness::new();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
        follow_database(&tasks, self.store.clone(), readiness.condition("database"), reporter);
        if let Some(login) = self.login {
            login.serve(self.store.clone(), health, &tasks)?;
        }
        if let Some(listener) = self.accounts {
            info!(address = %listener.local_addr()?, "the accounts pages are served");
            accounts::serve(listener, readiness.clone(), &tasks);
        }
        if let Some(dex) = self.worker {
            Worker::new(self.store, dex, system_ids(), system_clock, tasks.clone()).start();
            info!("the worker works");
        }
        self.admin.serve(&tasks, readiness);
        Ok(())
    }
}

async fn bind(option: &'static str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("{option}: {address} cannot be bound"))
}

impl Login {
    /// Starts to answer Dex, and whoever asks for health.
    fn serve(
        self,
        store: Store,
        health: HealthServer<impl Health>,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let address = self.listener.local_addr()?;
        let logins = Logins::new(store, self.pool, system_ids(), tasks.clone());
        let service = ConnectorService::new(Arc::new(logins), self.prompt, system_clock);
        let service =
            PasswordConnectorServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let router = Server::builder()
            .http2_keepalive_interval(Some(KEEPALIVE.0))
            .http2_keepalive_timeout(Some(KEEPALIVE.1))
            .add_service(health)
            .add_service(service);
        let stop = tasks.stopping().clone().cancelled_owned();
        if let Some(tls) = self.tls {
            let connections = tls::accept(self.listener, tls, tasks);
            until_aborted(tasks, router.serve_with_incoming_shutdown(connections, stop));
        } else {
            warn!("serving without TLS: whoever reaches the port may guess passwords");
            let connections = TcpListenerStream::new(self.listener);
            until_aborted(tasks, router.serve_with_incoming_shutdown(connections, stop));
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
