//! PostgreSQL: a server of one's own, and databases in any server.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Deref;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use nix::unistd::User;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use url::Url;

use crate::part::{Part, probe};
use crate::program::Program;
use crate::secrets::{Secrets, write_private};
use crate::{ports, postgres_folders};

/// A PostgreSQL server with a cluster of its own; killed when dropped.
pub struct Server {
    part: Part,
    folder: PathBuf,
    programs: PathBuf,
    password: String,
    network: Option<&'static str>,
    dsn: String,
}

impl Server {
    /// Starts a server whose state lies in a directory, on a port.
    pub async fn start(state: &Path, port: u16) -> Result<Self> {
        let server = Self::prepare(state, port)?;
        server.boot().await?;
        Ok(server)
    }

    /// Starts a private server on a port nobody listens on.
    pub async fn start_private(state: &Path) -> Result<Self> {
        Self::start(state, ports::free()?).await
    }

    pub(crate) fn prepare(state: &Path, port: u16) -> Result<Self> {
        Self::prepare_at(state, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), None)
    }

    /// A server that listens at this address. Besides this machine, which it knows by its loopback addresses, it hears
    /// a network, if there is one; both are asked for a password.
    pub(crate) fn prepare_at(
        state: &Path,
        address: SocketAddrV4,
        network: Option<&'static str>,
    ) -> Result<Self> {
        let folder = postgres_folders::folder(state)?;
        let data = folder.join("data");
        let programs = programs(&data)?;
        let password = Secrets::open(state)?.get_or_create("postgres")?;
        let dsn = format!("postgres://postgres:{password}@{address}/postgres");
        let program = Program::new(programs.join("postgres"))
            .args(["-D".as_ref(), data.as_os_str()])
            .args(["-p", &address.port().to_string()])
            .args(["-c", &format!("listen_addresses={}", address.ip())])
            // Sockets have paths of at most 107 bytes, which a checkout's may exceed.
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "max_connections=300"])
            // Development data: a crash of the machine may cost it, a crash of a program not.
            .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
            .dir(&folder)
            .user(postgres_folders::user());
        let ready = probe({
            let dsn = dsn.clone();
            move || {
                let dsn = dsn.clone();
                async move { connect(&dsn).await.map(drop) }
            }
        });
        Ok(Self {
            // SIGINT is PostgreSQL's fast shutdown; SIGTERM would wait for every client to leave.
            part: Part::new("postgres", program, state, ready).stop_signal(Signal::SIGINT),
            folder,
            programs,
            password,
            network,
            dsn,
        })
    }

    /// Makes the cluster when there is none, and starts the server.
    pub(crate) async fn boot(&self) -> Result<()> {
        if !self.folder.join("data/PG_VERSION").exists() {
            self.make_cluster().await?;
        }
        self.part.start().await
    }

    async fn make_cluster(&self) -> Result<()> {
        // Removed when a killed initdb left it half done.
        let partial = self.folder.join("partial");
        let _ = fs::remove_dir_all(&partial);
        let password = self.folder.join("password");
        write_private(&password, &self.password)?;
        if let Some(user) = postgres_folders::user() {
            let owner = User::from_name(user)?.context("there is no user postgres")?;
            chown(&password, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        }
        let made = Program::new(self.programs.join("initdb"))
            .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"])
            .args(["--locale=C.UTF-8", "--no-sync", "--no-instructions", "--pwfile"])
            .args([&password])
            .args(["-D".as_ref(), partial.as_os_str()])
            .dir(&self.folder)
            .user(postgres_folders::user())
            .run(self.part.log())
            .await;
        fs::remove_file(&password).context("the password file of initdb stays")?;
        made?;
        if let Some(network) = self.network {
            let rules = partial.join("pg_hba.conf");
            let known = fs::read_to_string(&rules).context("initdb wrote no pg_hba.conf")?;
            fs::write(&rules, format!("{known}host all all {network} scram-sha-256\n"))
                .context("pg_hba.conf cannot be written")?;
        }
        fs::rename(&partial, self.folder.join("data")).context("the new cluster cannot be moved")
    }

    /// The DSN of the maintenance database `postgres`, as the superuser.
    #[must_use]
    pub fn dsn(&self) -> &str {
        &self.dsn
    }
}

impl Deref for Server {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.part
    }
}

/// The directory of PostgreSQL's programs: of the cluster's version if there is one, else of the
/// newest installed.
fn programs(data: &Path) -> Result<PathBuf> {
    let installed = installed();
    if let Ok(version) = fs::read_to_string(data.join("PG_VERSION")) {
        let version = version.trim();
        return installed
            .into_iter()
            .find(|dir| dir.to_string_lossy().split('/').any(|name| name == version))
            .with_context(|| {
                format!("the cluster is of PostgreSQL {version}, which is not installed; ./dev reset removes it")
            });
    }
    installed
        .into_iter()
        .next()
        .context("PostgreSQL is not installed: install the package postgresql")
}

/// The directories that hold PostgreSQL's server programs, newest first.
pub(crate) fn installed() -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, dir)| dir.join("initdb").is_file() && dir.join("postgres").is_file())
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let on_path = std::env::var_os("PATH");
    let on_path = on_path
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file());
    versions.into_iter().map(|(_, dir)| dir).chain(on_path).collect()
}

/// Creates a database in a server and gives its DSN, for the same user.
pub async fn create_database(admin_dsn: &str, name: &str) -> Result<String> {
    let mut connection = connect(admin_dsn).await?;
    run(&mut connection, &format!("CREATE DATABASE {}", quoted(name)?)).await?;
    Ok(with_path(admin_dsn, name)?.into())
}

/// Removes a database, throwing its clients out.
pub async fn drop_database(admin_dsn: &str, name: &str) -> Result<()> {
    let mut connection = connect(admin_dsn).await?;
    let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)?);
    run(&mut connection, &statement).await
}

/// Makes sure that a role with that password and a database of its own exist, which nobody else
/// may enter.
pub(crate) async fn ensure_owned_database(
    admin_dsn: &str,
    name: &str,
    password: &str,
) -> Result<()> {
    ensure_role(admin_dsn, name, password).await?;
    let mut connection = connect(admin_dsn).await?;
    let role = quoted(name)?;
    if !exists(&mut connection, "SELECT 1 FROM pg_database WHERE datname = $1", name).await? {
        run(&mut connection, &format!("CREATE DATABASE {role} OWNER {role}")).await?;
    }
    run(&mut connection, &format!("REVOKE ALL ON DATABASE {role} FROM PUBLIC")).await
}

/// Makes sure that a role with that password exists.
pub(crate) async fn ensure_role(admin_dsn: &str, name: &str, password: &str) -> Result<()> {
    let mut connection = connect(admin_dsn).await?;
    // The server would write a failing statement to its log, password and all.
    run(&mut connection, "SET log_min_error_statement = panic").await?;
    run(&mut connection, "SET log_statement = none").await?;
    let role = quoted(name)?;
    if !exists(&mut connection, "SELECT 1 FROM pg_roles WHERE rolname = $1", name).await? {
        run(&mut connection, &format!("CREATE ROLE {role} LOGIN")).await?;
    }
    ensure!(
        password.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
        "a password made here is base64url"
    );
    run(&mut connection, &format!("ALTER ROLE {role} PASSWORD '{password}'")).await
}

/// What stands in the tables of a database, as one line for each table: its name, and a digest of its rows.
pub async fn fingerprint(dsn: &str) -> Result<String> {
    const TABLES: &str = "SELECT quote_ident(relname) FROM pg_class \
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname";
    let mut connection = connect(dsn).await?;
    let tables: Vec<String> = sqlx::query_scalar(TABLES)
        .fetch_all(&mut connection)
        .await
        .context("PostgreSQL lists no tables")?;
    let mut lines = Vec::new();
    for table in tables {
        let rows = format!(
            "SELECT count(*) || ' rows, ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') \
             FROM {table} t"
        );
        let line: String = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_one(&mut connection)
            .await
            .with_context(|| format!("PostgreSQL does not read {table}"))?;
        lines.push(format!("{table}: {line}\n"));
    }
    Ok(lines.concat())
}

/// Lets a role into a database of another.
pub(crate) async fn allow(admin_dsn: &str, role: &str, database: &str) -> Result<()> {
    let statement = format!("GRANT CONNECT ON DATABASE {} TO {}", quoted(database)?, quoted(role)?);
    run(&mut connect(admin_dsn).await?, &statement).await
}

/// The DSN of a role's own database of the same name.
pub(crate) fn owned_dsn(admin_dsn: &str, name: &str, password: &str) -> Result<Url> {
    let mut dsn = with_path(admin_dsn, name)?;
    dsn.set_username(name)
        .and_then(|()| dsn.set_password(Some(password)))
        .map_err(|()| anyhow::anyhow!("the PostgreSQL DSN takes no user"))?;
    Ok(dsn)
}

pub(crate) async fn connect(dsn: &str) -> Result<PgConnection> {
    // An error of the parser would repeat the DSN with its password.
    let options: PgConnectOptions = dsn.parse().ok().context("the PostgreSQL DSN is malformed")?;
    let options = options.disable_statement_logging();
    PgConnection::connect_with(&options).await.context("PostgreSQL refuses the connection")
}

async fn run(connection: &mut PgConnection, statement: &str) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(connection)
        .await
        .map(drop)
        .context("PostgreSQL refuses a statement")
}

async fn exists(connection: &mut PgConnection, query: &'static str, name: &str) -> Result<bool> {
    sqlx::query(query)
        .bind(name)
        .fetch_optional(connection)
        .await
        .map(|row| row.is_some())
        .context("PostgreSQL refuses a query")
}

fn with_path(dsn: &str, database: &str) -> Result<Url> {
    let mut dsn: Url = dsn.parse().ok().context("the PostgreSQL DSN is malformed")?;
    dsn.set_path(database);
    Ok(dsn)
}

/// A name as an identifier; names made here need no escapes.
fn quoted(name: &str) -> Result<String> {
    ensure!(
        !name.is_empty()
            && name.len() < 64
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        "{name:?} is no name for a database: letters, digits and _ only, at most 63"
    );
    Ok(format!("\"{name}\""))
}
