//! The whole stack: every part, real, in order.

mod options;
mod services;

pub use options::{Names, Source, StackOptions, User, demo_users};
pub use services::WRITES;

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use crate::app_page::AppPage;
use crate::endpoints::{DemoUser, Endpoints, sign_in_url};
use crate::part::{Part, State};
use crate::pki::Pki;
use crate::ports::Ports;
use crate::secrets::Secrets;
use crate::{dex, kafka, mail, mongodb, postgres};
use services::ChatStores;

/// All parts of a stack; what runs is killed when it is dropped.
pub struct Stack {
    postgres: Option<postgres::Server>,
    kafka: Option<kafka::Broker>,
    mongodb: Option<mongodb::ReplicaSet>,
    mail: Option<mail::Sink>,
    connector: Option<Part>,
    dex: Part,
    app: Option<Part>,
    chat: Vec<Part>,
    admin_dsn: String,
    accounts_password: String,
    dex_password: String,
    endpoints: Endpoints,
    pki: Pki,
    // Last: the directory goes when everything in it has ended.
    options: StackOptions,
}

impl Stack {
    /// Prepares and starts a stack.
    pub async fn launch(options: StackOptions) -> Result<Self> {
        let stack = Self::prepare(options)?;
        stack.start(|_| {}).await?;
        Ok(stack)
    }

    /// Writes configuration and certificates; starts nothing.
    pub fn prepare(options: StackOptions) -> Result<Self> {
        let StackOptions { state, ports, names, .. } = &options;
        std::fs::create_dir_all(state)
            .with_context(|| format!("{} cannot be made", state.display()))?;
        let pki = Pki::create(&state.join("pki"))?;
        let secrets = Secrets::open(state)?;

        let own = |source: &Source| matches!(source, Source::Own);
        let postgres = own(&options.postgres)
            .then(|| postgres::Server::prepare(state, ports.postgres))
            .transpose()?;
        let kafka =
            own(&options.kafka).then(|| kafka::Broker::prepare(state, ports.kafka)).transpose()?;
        let mongodb = own(&options.mongodb)
            .then(|| mongodb::ReplicaSet::prepare(state, ports.mongodb))
            .transpose()?;
        let address = |source: &Source, started: Option<&str>| match source {
            Source::Given(address) => address.clone(),
            Source::Own => started.unwrap_or_default().to_owned(),
        };
        let admin_dsn = address(&options.postgres, postgres.as_ref().map(postgres::Server::dsn));
        let brokers = address(&options.kafka, kafka.as_ref().map(kafka::Broker::brokers));
        let mongodb_uri = address(&options.mongodb, mongodb.as_ref().map(mongodb::ReplicaSet::uri));

        let accounts_password = secrets.get_or_create("accounts")?;
        let dex_password = secrets.get_or_create("dex")?;
        let accounts_dsn = postgres::owned_dsn(&admin_dsn, &names.accounts, &accounts_password)?;
        let issuer = format!("http://localhost:{}/dex", ports.dex);
        let redirect_uri = format!("http://localhost:{}/auth/callback", ports.web);
        let email_user = DemoUser {
            login: "admin@example.com".into(),
            password: secrets.get_or_create("email-user")?,
        };

        let dex = dex::part(
            state,
            &dex::Settings {
                issuer: &issuer,
                redirect_uri: &redirect_uri,
                database: &postgres::owned_dsn(&admin_dsn, &names.dex, &dex_password)?,
                ports,
                pki: &pki,
                local_accounts: options.local_accounts,
                other_client: options.other_client,
                email_user: &email_user.login,
                email_password: &email_user.password,
                api_secret: &secrets.get_or_create("chat-api-client")?,
                accounts_secret: &secrets.get_or_create("accounts-client")?,
            },
        )?;
        let connector = options
            .local_accounts
            .then(|| services::connector_part(state, &accounts_dsn, (&options, &issuer), &pki))
            .transpose()?;
        let app_page = app_page(&options, &issuer);
        let app = app_page.as_ref().map(|page| page.part(state)).transpose()?;
        let mail = options
            .mail
            .then(|| {
                let addresses = (mail::local(ports.smtp), mail::local(ports.mail));
                mail::Sink::prepare_at(state, addresses, mail::Speech::Plain)
            })
            .transpose()?;
        let stores = ChatStores { brokers: &brokers, mongodb: &mongodb_uri, names };
        let chat = (1..=ports.chat.len())
            .map(|replica| stores.part(state, replica, ports, &issuer))
            .collect::<Result<Vec<_>>>()?;

        let chat_replicas: Vec<String> =
            ports.chat.iter().map(|(port, _)| format!("http://localhost:{port}")).collect();
        let endpoints = Endpoints {
            sign_in_url: sign_in_url(&issuer, &redirect_uri)?,
            dex_issuer: issuer,
            redirect_uri,
            chat_api: chat_replicas.first().cloned().context("a stack has a chat replica")?,
            chat_replicas,
            connector_grpc: connector.as_ref().map(|_| format!("localhost:{}", ports.connector)),
            app: app_page.as_ref().map(AppPage::address),
            accounts: connector.as_ref().map(|_| ports.accounts_url()),
            postgres: accounts_dsn.into(),
            kafka: brokers,
            kafka_topic_prefix: names.topic_prefix.clone(),
            mongodb: mongodb_uri,
            mongodb_database: names.mongodb_database.clone(),
            mail: options.mail.then(|| format!("http://localhost:{}", ports.mail)),
            demo_users: with_accounts(&options),
            email_user,
        };
        Ok(Self {
            postgres,
            kafka,
            mongodb,
            mail,
            connector,
            dex,
            app,
            chat,
            admin_dsn,
            accounts_password,
            dex_password,
            endpoints,
            pki,
            options,
        })
    }

    /// Starts every part, each after what it needs, reporting each step as it ends.
    pub async fn start(&self, report: impl Fn(&str)) -> Result<()> {
        tokio::try_join!(
            timed("postgres", &report, self.start_postgres()),
            timed("kafka", &report, self.start_kafka()),
            timed("mongodb", &report, self.start_mongodb()),
            async {
                match &self.mail {
                    Some(mail) => timed("mail", &report, mail.start()).await,
                    None => Ok(()),
                }
            },
        )?;
        let stores = self.stores();
        tokio::try_join!(
            timed("databases and accounts", &report, self.prepare_databases()),
            timed("topics", &report, stores.ensure_topics(self.state())),
        )?;
        let serve = self.connector.iter().chain([&self.dex]).chain(&self.app);
        try_join_all(serve.map(|part| timed(part.name(), &report, part.start()))).await?;
        try_join_all(self.chat.iter().map(|part| timed(part.name(), &report, part.start())))
            .await?;
        Ok(())
    }

    async fn start_postgres(&self) -> Result<()> {
        match &self.postgres {
            Some(server) => server.boot().await,
            None => postgres::connect(&self.admin_dsn)
                .await
                .map(drop)
                .context("the PostgreSQL named by POSTGRES_DSN cannot be used"),
        }
    }

    async fn start_kafka(&self) -> Result<()> {
        match &self.kafka {
            Some(server) => server.boot().await,
            None => kafka::serves(self.endpoints.kafka.clone())
                .await
                .context("the Kafka named by KAFKA_BROKERS cannot be used"),
        }
    }

    async fn start_mongodb(&self) -> Result<()> {
        match &self.mongodb {
            Some(server) => server.boot().await,
            None => mongodb::serves(&self.endpoints.mongodb)
                .await
                .context("the MongoDB named by MONGODB_URI cannot be used"),
        }
    }

    async fn prepare_databases(&self) -> Result<()> {
        let Names { accounts, dex, .. } = &self.options.names;
        postgres::ensure_owned_database(&self.admin_dsn, dex, &self.dex_password).await?;
        postgres::ensure_owned_database(&self.admin_dsn, accounts, &self.accounts_password).await?;
        if self.connector.is_some() {
            services::migrate(self.state(), &self.endpoints.postgres).await?;
            services::seed(self.state(), &self.endpoints.postgres, &self.options.users).await?;
        }
        Ok(())
    }

    fn stores(&self) -> ChatStores<'_> {
        ChatStores {
            brokers: &self.endpoints.kafka,
            mongodb: &self.endpoints.mongodb,
            names: &self.options.names,
        }
    }

    /// Stops every part in the reverse order, and tells which had to be killed.
    pub async fn stop(&self) -> Vec<&str> {
        let stop = async |part: &'_ Part| part.stop().await;
        let mut killed = Vec::new();
        for group in self.groups().into_iter().rev() {
            let stopped = join_all(group.iter().map(|part| stop(part))).await;
            killed.extend(
                group
                    .iter()
                    .zip(stopped)
                    .filter(|(_, stopped)| !stopped)
                    .map(|(part, _)| part.name()),
            );
        }
        killed
    }

    /// The parts in groups: a group needs those before it, and starts and stops at once.
    fn groups(&self) -> [Vec<&Part>; 3] {
        let servers = [
            self.postgres.as_deref(),
            self.kafka.as_deref(),
            self.mongodb.as_deref(),
            self.mail.as_deref(),
        ];
        [
            servers.into_iter().flatten().collect(),
            self.connector.iter().chain([&self.dex]).chain(&self.app).collect(),
            self.chat.iter().collect(),
        ]
    }

    /// Every part this stack runs itself, in the order of their start.
    #[must_use]
    pub fn parts(&self) -> Vec<&Part> {
        self.groups().into_iter().flatten().collect()
    }

    /// A part by its name: `postgres`, `kafka`, `mongodb`, `mail`, `connector`, `dex`, `app`, `chat-1` ….
    pub fn part(&self, name: &str) -> Result<&Part> {
        let parts = self.parts();
        parts.iter().find(|part| part.name() == name).copied().ok_or_else(|| {
            let mut known = String::new();
            for part in &parts {
                let _ = write!(known, " {}", part.name());
            }
            anyhow!("this stack runs no part {name:?}; it runs:{known}")
        })
    }

    /// The mail sink, which [`StackOptions::mail`] asks for.
    pub fn mail(&self) -> Result<&mail::Sink> {
        self.mail.as_ref().context("this stack runs no mail sink")
    }

    /// The parts that ended by themselves.
    pub(crate) fn dead(&self) -> Vec<&Part> {
        let dead = |part: &&Part| matches!(part.state(), State::Died(_));
        self.parts().into_iter().filter(dead).collect()
    }

    /// The servers that were there already.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let sources = [
            ("postgres", &self.options.postgres),
            ("kafka", &self.options.kafka),
            ("mongodb", &self.options.mongodb),
        ];
        sources
            .into_iter()
            .filter(|(_, source)| matches!(source, Source::Given(_)))
            .map(|(name, _)| name)
            .collect()
    }

    /// The addresses of all parts.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The certificates of the parts.
    #[must_use]
    pub fn pki(&self) -> &Pki {
        &self.pki
    }

    /// The ports that the parts listen on.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.options.ports
    }

    /// The state directory; the logs are in `log/`.
    #[must_use]
    pub fn state(&self) -> &Path {
        &self.options.state
    }
}

/// The app of a stack that has one.
fn app_page(options: &StackOptions, issuer: &str) -> Option<AppPage> {
    let StackOptions { app, local_accounts, ports, .. } = options;
    app.then(|| AppPage {
        port: ports.web,
        issuer: issuer.to_owned(),
        accounts: local_accounts.then(|| ports.accounts_url()),
    })
}

/// Who can sign in with a Local Account.
fn with_accounts(options: &StackOptions) -> Vec<DemoUser> {
    let active = options.users.iter().filter(|user| options.local_accounts && user.is_active);
    active
        .map(|user| DemoUser { login: user.username.clone(), password: user.password.clone() })
        .collect()
}

async fn timed(
    name: &str,
    report: &impl Fn(&str),
    step: impl Future<Output = Result<()>>,
) -> Result<()> {
    let start = Instant::now();
    step.await.with_context(|| format!("{name} failed"))?;
    report(&format!("{name} ready ({:.1} s)", start.elapsed().as_secs_f32()));
    Ok(())
}
