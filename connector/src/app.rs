//! Puts the parts together: `build` checks and binds, `run` serves.

mod login;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dex_tokens::ConfigError;
use service_process::admin::{Admin, Condition, Readiness};
use service_process::error_chain::ErrorChain;
use service_process::lifecycle::{Lifecycle, Tasks};
use service_process::listener::{Listener, bind};
use service_process::sources::Sources;
use thiserror::Error;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::{info, warn};
use url::Url;

use crate::accounts::{self, PageSettings};
use crate::config::{
    InvalidKeyFile, InvalidMail, InvalidSignIn, MissingOption, PasswordArgs, Role, ServeArgs,
    StoreArgs,
};
use crate::core::{Core, CoreSettings, processors};
use crate::dex_api::{DexApi, InvalidDexApi};
use crate::dex_login::{DexLoginSettings, DexLogins, InvalidDexLogin};
use crate::flow::CodeKey;
use crate::grpc::SERVICE_NAME;
use crate::grpc::tls::{InvalidTls, Tls};
use crate::limits::SWEEP_EVERY;
use crate::lockout::InvalidLockout;
use crate::login::Logins;
use crate::mail::{InvalidSmtp, Smtp};
use crate::metrics;
use crate::password::{Breaches, Calibration, NoClient, Pool};
use crate::store::{InvalidDsn, Store};
use crate::worker::{Post, Worker};
use login::Login;

/// How often the database is asked whether it answers. Health follows within this time and one
/// step's limit.
const PING_EVERY: Duration = Duration::from_secs(1);

/// The service, bound and not yet running.
#[derive(Debug)]
pub struct App {
    admin: Admin,
    store: Store,
    /// What the shared parts are made from, if a role of this process uses them.
    core: Option<CoreSettings>,
    login: Option<Login>,
    accounts: Option<Accounts>,
    /// Dex's admin API, and what sends mail, if this process has the role `worker`.
    worker: Option<(DexApi, Post)>,
}

/// The role `accounts`.
#[derive(Debug)]
struct Accounts {
    listener: Listener,
    address: SocketAddr,
    pages: Option<PageSettings>,
}

/// The settings and files that the roles of this process need, read and checked.
#[derive(Debug, Default)]
pub struct CheckedConfig {
    /// The connector's certificate, for the role `login`; `None` if it is to serve without TLS.
    pub tls: Option<Tls>,
    /// What the shared parts are made from, for the role `login` and the accounts pages.
    pub core: Option<CoreSettings>,
    /// What the accounts pages are made from, for the role `accounts`, if it serves them.
    pub pages: Option<PageSettings>,
    /// Dex's admin API, for the role `worker`.
    pub dex: Option<DexApi>,
    /// The mail server, for the role `worker`, if there is one.
    pub smtp: Option<Smtp>,
    /// The key of codes, for the role `worker`, if there is one.
    pub codes: Option<CodeKey>,
}

/// A configuration that parses and cannot be used.
#[derive(Debug, Error)]
pub enum InvalidConfig {
    /// `POSTGRES_DSN` is none.
    #[error("POSTGRES_DSN")]
    Dsn(#[from] InvalidDsn),
    /// The files of the connector's certificate.
    #[error(transparent)]
    Tls(#[from] InvalidTls),
    /// A file of peppers or of the guard key.
    #[error(transparent)]
    Key(#[from] InvalidKeyFile),
    /// The settings `LOCKOUT_*` do not make a ladder.
    #[error(transparent)]
    Lockout(#[from] InvalidLockout),
    /// The files to call Dex's admin API with.
    #[error(transparent)]
    DexApi(#[from] InvalidDexApi),
    /// The settings `DEX_ISSUER_URL` and `DEX_DISCOVERY_URL`.
    #[error("DEX_ISSUER_URL: no token can be verified")]
    Issuer(#[from] ConfigError),
    /// The files and settings by which people sign in to the accounts pages.
    #[error(transparent)]
    SignIn(#[from] InvalidSignIn),
    /// The settings `SMTP_*` and `MAIL_*` contradict each other.
    #[error(transparent)]
    Mail(#[from] InvalidMail),
    /// The files to send mail with.
    #[error(transparent)]
    Smtp(#[from] InvalidSmtp),
    /// An option that a role cannot do without.
    #[error(transparent)]
    Missing(#[from] MissingOption),
    /// All people would be one network.
    #[error(
        "TRUSTED_PROXY_CIDRS: is empty, and the accounts pages are behind a proxy, because ACCOUNTS_PUBLIC_URL is https://: \
         name its network"
    )]
    NoProxy,
    /// Nobody can be asked for stolen passwords.
    #[error(transparent)]
    Ranges(#[from] NoClient),
    /// The HTTP client to ask Dex with.
    #[error(transparent)]
    DexLogin(#[from] InvalidDexLogin),
    /// Chromium would lead nobody back.
    #[error(
        "ACCOUNTS_APP_ORIGINS: is empty, and so is ACCOUNTS_APP_URL: with DEX_ISSUER_URL browsers have to be told \
         where Dex may lead them"
    )]
    NoOrigins,
    /// Nobody would get a code.
    #[error("SMTP_ADDRESS: is empty, and the accounts pages mail a code to everybody")]
    NoMail,
}

/// Opens the store that the configuration names.
pub fn open_store(args: &StoreArgs) -> Result<Store, InvalidConfig> {
    Store::open_with(&args.postgres_dsn, args.postgres_connections).map_err(Into::into)
}

/// Checks all that can be checked without binding or dialling.
pub fn check(args: &ServeArgs) -> Result<CheckedConfig, InvalidConfig> {
    Store::open(&args.store.postgres_dsn)?;
    let mut checked = CheckedConfig::default();
    if args.roles.has(Role::Login) {
        checked.tls = args.tls_files()?.map(Tls::load).transpose()?;
        checked.core = Some(core_settings(args)?);
    }
    if args.roles.has(Role::Accounts) {
        checked.pages = page_settings(args)?;
        if checked.pages.is_some() && checked.core.is_none() {
            checked.core = Some(core_settings(args)?);
        }
    }
    if args.roles.has(Role::Worker) {
        checked.dex = Some(DexApi::open(args.dex_api.settings()?)?);
        checked.smtp = args.mail.settings()?.map(Smtp::open).transpose()?;
        checked.codes = args.code_key.code_key()?;
        if checked.pages.is_some() && checked.smtp.is_none() {
            return Err(InvalidConfig::NoMail);
        }
    }
    Ok(checked)
}

/// Reads the files of the accounts pages, if they are to be served.
fn page_settings(args: &ServeArgs) -> Result<Option<PageSettings>, InvalidConfig> {
    let Some(url) = &args.accounts.accounts_public_url else { return Ok(None) };
    let codes = args.code_key.code_key()?;
    let (dex, app_origins) = dex_logins(args)?;
    if url.is_https() && args.limits.trusted_proxy_cidrs.is_empty() {
        return Err(InvalidConfig::NoProxy);
    }
    Ok(Some(PageSettings {
        origin: url.origin().clone(),
        product: url.labels(),
        app: args.accounts.accounts_app_url.clone().map(Into::into),
        proxy_header: args.accounts.trusted_proxy_header.clone(),
        codes: codes.ok_or(InvalidKeyFile::Missing("CODE_KEY_FILE"))?,
        rates: args.accounts.rates(),
        rules: args.accounts.rules(),
        breaches: args.accounts.password_ranges_url.clone().map(Breaches::at).transpose()?,
        sign_up: args.accounts.accounts_sign_up,
        tokens: args.dex_login.verifier()?,
        sign_in: args.sign_in.client(&args.dex_login, url)?,
        connector_id: args.dex_api.dex_connector_id.clone(),
        search_groups: args.accounts.accounts_search_groups.clone(),
        dex,
        app_origins,
    }))
}

/// The logins that the pages lead back to, if it is known where Dex is, and the origins that it leads browsers to.
fn dex_logins(args: &ServeArgs) -> Result<(Option<DexLogins>, Vec<String>), InvalidConfig> {
    let origin = |app: &Url| app.origin().ascii_serialization();
    let mut origins = args.dex_login.accounts_app_origins.clone();
    origins.extend(args.accounts.accounts_app_url.as_ref().map(origin));
    origins.sort();
    origins.dedup();
    let Some(issuer) = &args.dex_login.dex_issuer_url else { return Ok((None, origins)) };
    if origins.is_empty() {
        return Err(InvalidConfig::NoOrigins);
    }
    let inside = args.dex_login.dex_discovery_url.clone();
    let connector_id = args.dex_api.dex_connector_id.clone();
    let issuer = issuer.url().clone();
    let dex = DexLogins::open(&DexLoginSettings { issuer, inside, connector_id })?;
    Ok((Some(dex), origins))
}

/// Reads the files of the shared parts and checks their settings.
fn core_settings(args: &ServeArgs) -> Result<CoreSettings, InvalidConfig> {
    Ok(CoreSettings {
        peppers: args.passwords.peppers()?,
        cost: args.passwords.bcrypt_cost,
        key: args.guard_key.guard_key()?,
        lockout: args.lockout.lockout()?,
        limits: args.limits.settings(),
        sprayed_names: args.limits.limit_sprayed_names,
        proxies: args.limits.trusted_proxy_cidrs.clone(),
        require_verified_email: args.lockout.require_verified_email,
        connector_id: args.dex_api.dex_connector_id.clone(),
    })
}

/// A pool for commands, whose answers nobody times.
pub fn command_pool(args: &PasswordArgs) -> Result<Pool, InvalidConfig> {
    let peppers = args.peppers()?;
    Ok(Pool::new(processors(), args.bcrypt_cost, peppers, Calibration::NONE))
}

impl App {
    /// Checks the configuration and binds the ports of its roles; port 0 lets the system choose.
    pub fn build(args: &ServeArgs) -> anyhow::Result<Self> {
        let CheckedConfig { tls, core, pages, dex, smtp, codes } = check(args)?;
        metrics::describe();
        let store = open_store(&args.store)?;
        let admin = Admin::bind(args.admin_listen)?;
        let pages_url =
            args.accounts.accounts_public_url.as_ref().map(|url| url.as_str().to_owned());
        let language = args.mail.mail_language;
        let post = Post { smtp, language, codes, pages: pages_url };
        let worker = dex.map(|dex| (dex, post));
        let mut app = Self { admin, store, core, login: None, accounts: None, worker };
        if args.roles.has(Role::Login) {
            let bound = bind("CONNECTOR_GRPC_LISTEN", args.connector_grpc_listen)?;
            app.login = Some(Login::new(bound, args, tls));
        }
        if args.roles.has(Role::Accounts) {
            let bound = bind("ACCOUNTS_LISTEN", args.accounts_listen)?;
            let address = bound.local_addr()?;
            let listener = Listener::public(bound, args.listener.limits()).telling_peers();
            app.accounts = Some(Accounts { listener, address, pages });
        }
        Ok(app)
    }

    /// The address of the connector, if this process has the role `login`.
    #[must_use]
    pub fn grpc_addr(&self) -> Option<SocketAddr> {
        self.login.as_ref().and_then(|login| login.address().ok())
    }

    /// The address of the accounts pages, if this process has the role `accounts`.
    #[must_use]
    pub fn accounts_addr(&self) -> Option<SocketAddr> {
        self.accounts.as_ref().map(|accounts| accounts.address)
    }

    /// The address of the admin port.
    #[must_use]
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.local_addr()
    }

    /// Starts the roles of this process as tasks of the lifecycle.
    pub async fn run(self, lifecycle: &Lifecycle) -> anyhow::Result<()> {
        let (tasks, sources) = (lifecycle.tasks(), Sources::system());
        let core = match self.core {
            Some(settings) => {
                let (store, tasks) = (self.store.clone(), tasks.clone());
                Some(Arc::new(Core::open(settings, store, sources, tasks).await))
            }
            None => None,
        };
        let readiness = Readiness::new();
        let (reporter, health) = tonic_health::server::health_reporter();
        reporter.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        reporter.set_service_status("", ServingStatus::NotServing).await;
        follow_database(&tasks, self.store.clone(), readiness.condition("database"), reporter);
        self.admin.serve(&tasks, readiness.clone());
        let logins = core.as_ref().map(|core| Arc::new(Logins::new(Arc::clone(core))));
        if let Some(logins) = &logins {
            look_after(logins, sources, &tasks);
        }
        let shared = core.zip(logins);
        if let Some((login, (core, logins))) = self.login.zip(shared.clone()) {
            login.serve(logins, core, health, &tasks)?;
        }
        if let Some(Accounts { listener, address, pages }) = self.accounts {
            info!(%address, pages = pages.is_some(), "the accounts pages are served");
            let pages = pages.zip(shared);
            let pages = pages.map(|(settings, (core, logins))| settings.open(core, logins));
            let pages = pages.transpose()?;
            accounts::serve(listener, readiness, pages, &tasks);
        }
        if let Some((dex, post)) = self.worker {
            Worker::new(self.store, dex, post, sources, tasks.clone()).start();
            info!("the worker works");
        }
        Ok(())
    }
}

/// Starts what logins need done from time to time.
fn look_after(logins: &Arc<Logins>, sources: Sources, tasks: &Tasks) {
    let (stopping, aborting) = (tasks.stopping().clone(), tasks.aborting().clone());
    let swept = Arc::clone(logins);
    tasks.worker("limits", async move {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        while stopping.run_until_cancelled(tick.tick()).await.is_some() {
            // A database may take longer than the process has. The next one sweeps, too.
            aborting.run_until_cancelled(swept.sweep((sources.now)())).await;
        }
        swept.write_folded((sources.now)());
        Ok(())
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
                    condition.unmet("the database does not answer");
                    // The pool does not say why; another try does, unless it succeeds.
                    let error = store.reach().await.err().unwrap_or(error);
                    warn!(error = %ErrorChain(&error), "the database does not answer");
                }
            }
        }
        health.set_service_status("", ServingStatus::NotServing).await;
        health.set_service_status(SERVICE_NAME, ServingStatus::NotServing).await;
        Ok(())
    });
}
