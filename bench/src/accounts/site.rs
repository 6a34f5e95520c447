//! The role `accounts` in a process of its own, and an issuer in Dex's place.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use auth_connector::account::AccountId;
use auth_connector::accounts::AUDIENCE;
use auth_connector::dex_api::subject;
use devstack::issuer::{CLIENT_SECRET, Issuer};
use devstack::part::{Part, probe};
use devstack::{name, ports};
use serde_json::{Value, json};
use service_process::sources::Sources;
use uuid::Uuid;

use crate::pin::Cores;
use crate::scrape;
use crate::service::{Database, LoginSite};

/// Where browsers believe to be.
pub(super) const ORIGIN: &str = "http://localhost:5559";

/// Whose members may search.
pub(super) const SEARCHERS: &str = "staff";

/// Dex's id of the connector.
const CONNECTOR: &str = "local-postgres";

/// How long tokens live: longer than any part of the benchmark.
const LIFE_SECONDS: i64 = 900;

/// So many flows an hour limit nothing.
const NO_LIMIT: &str = "1000000";

/// What the parts of the benchmark share. Dropped = gone.
pub(super) struct Site {
    pub(super) login: LoginSite,
    pub(super) issuer: Issuer,
    secret: PathBuf,
}

/// The pages, served. Dropped = killed.
pub(super) struct Pages {
    part: Part,
    pub(super) address: SocketAddr,
}

impl Site {
    /// Starts the database server and the issuer, on the processors of this process.
    pub(super) async fn open() -> Result<Self> {
        let (login, issuer) = (LoginSite::open().await?, Issuer::start().await?);
        let secret = login.files().join("client-secret");
        std::fs::write(&secret, CLIENT_SECRET).context("the client's secret cannot be written")?;
        Ok(Self { login, issuer, secret })
    }

    /// Serves the pages on the service's processor.
    pub(super) async fn serve(&self, database: &Database, cores: &Cores) -> Result<Pages> {
        let [pages, admin] =
            [ports::free()?, ports::free()?].map(|port| format!("127.0.0.1:{port}"));
        let keys = &self.login.keys;
        let serve = self
            .login
            .program(&database.dsn)?
            .args(["serve"])
            .env("ROLES", "accounts")
            .env("ACCOUNTS_LISTEN", &pages)
            .env("ADMIN_LISTEN", &admin)
            .env("ACCOUNTS_PUBLIC_URL", format!("{ORIGIN}/accounts"))
            .env("ACCOUNTS_APP_URL", "http://localhost:5173/")
            .env("ACCOUNTS_SEARCH_GROUPS", SEARCHERS)
            .env("ACCOUNTS_CLIENT_SECRET_FILE", &self.secret)
            .env("ACCOUNTS_SESSION_KEY_FILE", &keys.session_keys)
            .env("DEX_ISSUER_URL", self.issuer.url())
            .env("DEX_CONNECTOR_ID", CONNECTOR)
            .env("GUARD_KEY_FILE", &keys.guard_key)
            .env("CODE_KEY_FILE", &keys.code_key)
            .env("LIMIT_FLOWS_PER_HOUR", NO_LIMIT)
            .env("LIMIT_COARSE_FLOWS_PER_HOUR", NO_LIMIT)
            .env("LOG_LEVEL", "warn")
            .on_cores(&cores.service);
        let ready = format!("http://{admin}/ready");
        let ready = probe(move || {
            let ready = ready.clone();
            async move { scrape::get(&ready).await.map(drop) }
        });
        let part = Part::new(name::unique("accounts"), serve, self.login.files(), ready);
        part.start().await?;
        Ok(Pages { part, address: pages.parse()? })
    }

    /// A token of somebody who signs in now.
    pub(super) fn token(&self, account: Uuid) -> Result<String> {
        self.issuer.sign(claims(account))
    }
}

impl Pages {
    pub(super) async fn stop(self) -> Result<()> {
        ensure!(self.part.stop().await, "the pages had to be killed");
        Ok(())
    }
}

/// What Dex says of somebody who signs in now.
pub(super) fn claims(account: Uuid) -> Value {
    let now = (Sources::system().now)().timestamp();
    json!({
        "sub": subject(AccountId::from(account), CONNECTOR), "aud": AUDIENCE,
        "iat": now, "exp": now + LIFE_SECONDS,
    })
}

/// An account that may search.
pub(super) async fn searcher(database: &Database) -> Result<Uuid> {
    let id = sqlx::query_scalar(
        "with made as (
             insert into users (id, username, username_key, email, email_key, email_verified,
                                full_name, phone)
             values (gen_random_uuid(), 'searcher', 'searcher', 'searcher@example.com',
                     'searcher@example.com', true, 'Somebody who searches', '+12025550123')
             returning id)
         insert into user_groups (user_id, group_name) select id, $1 from made returning user_id",
    )
    .bind(SEARCHERS)
    .fetch_one(&database.pool)
    .await;
    id.context("the account that searches is not made")
}
