//! The service under test: the built program in processes of its own, on a PostgreSQL that nobody
//! else uses, with mutual TLS as in production.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use devstack::keys::KeyFiles;
use devstack::part::{Part, State, probe};
use devstack::pki::Pki;
use devstack::program::Program;
use devstack::{checkout, name, ports, postgres};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::line::Line;

use crate::scrape;

/// Limits that limit nothing, for what is not about them.
pub(crate) const NO_LIMITS: [(&str, &str); 5] = [
    ("LIMIT_NETWORK_PER_MINUTE", "1000000"),
    ("LIMIT_NETWORK_BURST", "1000000"),
    ("LIMIT_COARSE_NETWORK_PER_MINUTE", "1000000"),
    ("LIMIT_NAME_PER_MINUTE", "1000000"),
    ("LIMIT_SPRAYED_NAMES", "10000"),
];

/// What the services of one benchmark share. Dropped = gone.
pub(crate) struct LoginSite {
    postgres: postgres::Server,
    pki: Pki,
    pub(crate) keys: KeyFiles,
    // The last: the servers write there until they are gone.
    files: TempDir,
}

/// A migrated database in it.
pub(crate) struct Database {
    pub(crate) dsn: String,
    pub(crate) pool: PgPool,
}

/// A running replica. Dropped = killed.
pub(crate) struct Service {
    part: Part,
    admin: String,
    pub(crate) line: Line,
}

impl LoginSite {
    /// Starts the database server, on the processors of this process.
    pub(crate) async fn open() -> Result<Self> {
        let files = tempfile::tempdir().context("no temporary directory")?;
        let postgres = postgres::Server::start_private(files.path()).await?;
        let pki = Pki::create(&files.path().join("pki"))?;
        let keys = KeyFiles::get_or_create(files.path())?;
        Ok(Self { postgres, pki, keys, files })
    }

    /// Makes a database.
    pub(crate) async fn database(&self) -> Result<Database> {
        let dsn = postgres::create_database(self.postgres.dsn(), &name::unique("bench")).await?;
        self.program(&dsn)?.args(["migrate"]).run(&self.log("migrate")).await?;
        let pool = PgPoolOptions::new().max_connections(4).connect(&dsn).await;
        Ok(Database { pool: pool.context("the new database refuses the connection")?, dsn })
    }

    /// Puts accounts in from the text of a seed file with plain passwords.
    pub(crate) async fn seed(&self, database: &Database, cost: u32, yaml: &str) -> Result<()> {
        let file = self.files.path().join(name::unique("seed"));
        std::fs::write(&file, yaml).context("the seed file cannot be written")?;
        self.program(&database.dsn)?
            .args(["seed", "--allow-plain-passwords", "--file"])
            .args([&file])
            .env("BCRYPT_COST", cost.to_string())
            .run(&self.log("seed"))
            .await
    }

    /// Starts a replica on these processors, with these variables.
    pub(crate) async fn serve(
        &self,
        database: &Database,
        cores: &str,
        variables: &[(&str, &str)],
    ) -> Result<Service> {
        let [grpc, admin] =
            [ports::free()?, ports::free()?].map(|port| format!("127.0.0.1:{port}"));
        let authority = &self.pki.connector;
        let serve = self
            .program(&database.dsn)?
            .args(["serve"])
            .env("ROLES", "login")
            .env("CONNECTOR_GRPC_LISTEN", &grpc)
            .env("ADMIN_LISTEN", &admin)
            .env("TLS_CERT_FILE", &authority.server.cert)
            .env("TLS_KEY_FILE", &authority.server.key)
            .env("TLS_CA_FILE", &authority.ca)
            .env("GUARD_KEY_FILE", &self.keys.guard_key)
            .env("LOG_LEVEL", "warn");
        let serve = variables.iter().fold(serve, |serve, (name, value)| serve.env(name, value));
        let serve = serve.on_cores(cores);
        let ready = format!("http://{admin}/ready");
        let ready = probe(move || {
            let ready = ready.clone();
            async move { scrape::get(&ready).await.map(drop) }
        });
        let part = Part::new(name::unique("connector"), serve, self.files.path(), ready);
        part.start().await?;
        let client = &authority.client;
        let tls = ClientTlsConfig::new()
            .domain_name("auth-connector")
            .ca_certificate(Certificate::from_pem(read(&authority.ca)?))
            .identity(Identity::from_pem(read(&client.cert)?, read(&client.key)?));
        let endpoint = Endpoint::from_shared(format!("https://{grpc}"))?.tls_config(tls)?;
        let line = Line::open(endpoint).await?;
        Ok(Service { part, admin, line })
    }

    /// A directory that goes with it.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// The program on a database.
    pub(crate) fn program(&self, dsn: &str) -> Result<Program> {
        Ok(Program::new(checkout::binary("auth-connector")?)
            .env("POSTGRES_DSN", dsn)
            .env("PEPPER_FILE", &self.keys.peppers))
    }

    fn log(&self, name: &str) -> std::path::PathBuf {
        self.files.path().join("log").join(format!("{name}.log"))
    }
}

impl Service {
    pub(crate) fn pid(&self) -> Result<i32> {
        match self.part.state() {
            State::Running(pid) => Ok(pid),
            _ => {
                bail!("the service ended; the last lines of its log:\n{}", self.part.last_lines(20))
            }
        }
    }

    /// Everything that it counts, by the name with its labels.
    pub(crate) async fn metrics(&self) -> Result<BTreeMap<String, f64>> {
        scrape::metrics(&self.admin).await
    }

    pub(crate) async fn stop(self) -> Result<()> {
        ensure!(self.part.stop().await, "the service had to be killed");
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}
