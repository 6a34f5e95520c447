//! The role `login`: the login path, put together from the configuration, and the server that Dex
//! calls.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use auth_proto::connector::v1::password_connector_server::PasswordConnectorServer;
use chrono::DateTime;
use service_process::lifecycle::Tasks;
use service_process::sources::Sources;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tracing::{info, warn};

use super::{InvalidConfig, bind};
use crate::config::ServeArgs;
use crate::grpc::server::Server;
use crate::grpc::tls::{Handshakes, Tls};
use crate::grpc::{self, ConnectorService};
use crate::guard::{Guard, Lockout};
use crate::keys::MacKey;
use crate::limits::{Limits, SWEEP_EVERY, Spraying};
use crate::login::{Logins, Parts};
use crate::password::{Calibration, Parking, Peppers, Pool};
use crate::store::Store;

/// The largest request that is read: name, password and ids have limits far below.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// What the files and settings of the role hold.
#[derive(Debug)]
pub struct Checked {
    tls: Option<Tls>,
    peppers: Peppers,
    key: MacKey,
    lockout: Lockout,
}

impl Checked {
    /// Reads the files and checks what the settings come to.
    pub fn read(args: &ServeArgs) -> Result<Self, InvalidConfig> {
        Ok(Self {
            tls: args.tls_files()?.map(Tls::load).transpose()?,
            peppers: args.passwords.peppers()?,
            key: args.guard_key.guard_key()?,
            lockout: args.lockout.lockout()?,
        })
    }
}

/// For those who look at a configuration.
impl Checked {
    /// When the connector's certificate ends, in seconds of Unix time; `None` without TLS.
    #[must_use]
    pub fn certificate_ends(&self) -> Option<i64> {
        self.tls.as_ref().map(Tls::expires)
    }

    /// The id of the pepper of new hashes.
    #[must_use]
    pub fn pepper_id(&self) -> &str {
        self.peppers.current_id()
    }

    /// The lockout.
    #[must_use]
    pub fn lockout(&self) -> &Lockout {
        &self.lockout
    }
}

/// The parts of the login path, with a thread for each processor that this process may use.
pub async fn parts(args: &ServeArgs, checked: Checked, store: Store) -> Parts {
    let Checked { peppers, key, lockout, .. } = checked;
    let threads = threads();
    let calibration = Calibration::measure(threads).await;
    let pool = Pool::new(threads, args.passwords.bcrypt_cost, peppers, calibration);
    Parts {
        guard: Guard::new(store.clone(), lockout),
        limits: Arc::new(Limits::new(&args.limits.settings(), pool.hashes_per_minute())),
        spraying: Spraying::new(args.limits.limit_sprayed_names),
        proxies: args.limits.trusted_proxy_cidrs.clone(),
        pool: Arc::new(pool),
        parking: Parking::default(),
        store,
        key,
        sources: Sources::system(),
        require_verified_email: args.lockout.require_verified_email,
    }
}

/// The processors that this process may use: the CPU quota of its container, if it has one.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The role, bound and not yet serving.
#[derive(Debug)]
pub(super) struct Login {
    listener: TcpListener,
    tls: Option<Tls>,
    parts: Parts,
    prompt: String,
    reflection: bool,
    connection_age: Duration,
}

impl Login {
    pub(super) async fn bind(
        args: &ServeArgs,
        mut checked: Checked,
        store: Store,
    ) -> anyhow::Result<Self> {
        let listener = bind("CONNECTOR_GRPC_LISTEN", args.connector_grpc_listen).await?;
        let tls = checked.tls.take();
        Ok(Self {
            listener,
            tls,
            parts: parts(args, checked, store).await,
            prompt: args.connector_prompt.clone(),
            reflection: args.connector_reflection,
            connection_age: Duration::from_secs(args.connector_connection_age.into()),
        })
    }

    pub(super) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Starts to answer Dex, and whoever asks for health.
    pub(super) fn serve(
        self,
        health: HealthServer<impl Health>,
        tasks: &Tasks,
    ) -> anyhow::Result<()> {
        let address = self.address()?;
        let sources = self.parts.sources;
        let logins = Arc::new(Logins::new(self.parts, tasks.clone()));
        look_after(&logins, sources, tasks);
        let service = ConnectorService::new(logins, self.prompt, sources);
        let service =
            PasswordConnectorServer::new(service).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let mut routes = Routes::new(service).add_service(health);
        if self.reflection {
            routes = routes.add_service(grpc::reflection());
        }
        if self.tls.is_none() {
            warn!("serving without TLS: whoever reaches the port may guess passwords");
        }
        let handshakes = self.tls.map(|tls| Handshakes::follow(tls, tasks));
        Server { routes: routes.prepare(), handshakes, age: self.connection_age }
            .serve(self.listener, tasks);
        info!(%address, "auth-connector serves");
        Ok(())
    }
}

/// Starts what logins need done from time to time.
fn look_after(logins: &Arc<Logins>, sources: Sources, tasks: &Tasks) {
    let (stopping, swept) = (tasks.stopping().clone(), Arc::clone(logins));
    tasks.worker("limits", async move {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        while stopping.run_until_cancelled(tick.tick()).await.is_some() {
            swept.sweep((sources.now)()).await;
        }
        swept.write_folded(DateTime::<chrono::Utc>::MAX_UTC, (sources.now)());
        Ok(())
    });
}
