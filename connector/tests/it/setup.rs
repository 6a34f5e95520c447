//! Starts the real service on a database of its own and calls it as Dex does.

pub(crate) mod between;
pub(crate) mod commands;
pub(crate) mod door;
pub(crate) mod login_path;
pub(crate) mod pages;
pub(crate) mod postman;
pub(crate) mod program;
pub(crate) mod replica;
pub(crate) mod seats;
pub(crate) mod signed;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use auth_connector::app::App;
use auth_connector::cli::{Cli, Command as CliCommand};
use auth_connector::config::ServeArgs;
use auth_connector::flow::CodeKey;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{LoginRequest, LoginResponse, Origin, Scopes};
use clap::Parser as _;
use devstack::keys::KeyFiles;
use devstack::pki::{Authority, Pki};
use service_process::lifecycle::{Lifecycle, Tasks};
pub(crate) use service_process_testing::wait::eventually;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use url::Url;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// bcrypt of `abc` at cost 10.
pub(crate) const HASH_OF_ABC: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

/// The accounts that most tests use.
pub(crate) const PEOPLE: &str = r"
users:
  - username: Alice
    email: Alice@Example.com
    email_verified: true
    full_name: Alice Archer
    groups: [staff, admins]
    password: correct horse battery staple
  - username: bob
    password: another long enough password
  - { username: eve, is_active: false, password: correct horse battery staple }
  - { username: nohash, email: nohash@example.com }
";

/// A database with up-to-date tables.
pub(crate) struct Database {
    pub(crate) dsn: String,
    pub(crate) pool: PgPool,
    files: TempDir,
}

impl Database {
    pub(crate) async fn create() -> Self {
        let admin = devstack::shared::postgres_dsn().expect("a server");
        let name = devstack::name::unique("connector");
        let dsn = devstack::postgres::create_database(&admin, &name).await.expect("a database");
        Self::at(dsn).await
    }

    pub(crate) async fn at(dsn: String) -> Self {
        let pool = PgPool::connect(&dsn).await.expect("the database answers");
        let files = tempfile::tempdir().expect("a directory");
        let database = Self { dsn, pool, files };
        let output = database.command(&["migrate"]).output().expect("it runs");
        assert!(output.status.success(), "{}", text(&output));
        database
    }

    /// The same database, once more.
    pub(crate) async fn again(&self) -> Self {
        Self::at(self.dsn.clone()).await
    }

    pub(crate) async fn with_people() -> Self {
        let database = Self::create().await;
        let output = database.seed(PEOPLE, &["--allow-plain-passwords"]);
        assert!(output.status.success(), "{}", text(&output));
        // What a test finds in the trail is of its own doing.
        sqlx::query("truncate audit_events").execute(&database.pool).await.expect("an empty trail");
        database
    }

    /// The program, on this database.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .env("POSTGRES_DSN", &self.dsn)
            .env("BCRYPT_COST", "10")
            .env("PEPPER_FILE", &keys().peppers)
            .env("GUARD_KEY_FILE", &keys().guard_key);
        command
    }

    /// Runs `seed` on a file of this text.
    pub(crate) fn seed(&self, yaml: &str, options: &[&str]) -> Output {
        let file = self.files.path().join(devstack::name::unique("seed"));
        std::fs::write(&file, yaml).expect("the file is written");
        let file = file.to_str().expect("a path in UTF-8");
        let arguments = [&["seed", "--file", file], options].concat();
        self.command(&arguments).output().expect("it runs")
    }

    /// Waits until the trail has a line with this event and reason.
    pub(crate) async fn audited(&self, event: &str, reason: Option<&str>) -> AuditLine {
        eventually(&format!("{event} {reason:?} in the trail"), async || {
            sqlx::query_as(
                "select user_id, connector_id, host(remote_ip) as remote_ip, request_id
                 from audit_events where event = $1 and reason is not distinct from $2",
            )
            .bind(event)
            .bind(reason)
            .fetch_optional(&self.pool)
            .await
            .expect("the trail is read")
        })
        .await
    }

    /// Waits until so many mails are noted as sent.
    pub(crate) async fn sent(&self, count: usize) {
        eventually(&format!("{count} mails are sent"), async || {
            let sent: i64 = sqlx::query_scalar(
                "select count(*) from due_work where kind like 'mail.%' and finished_at is not null",
            )
            .fetch_one(&self.pool)
            .await
            .expect("due work is read");
            usize::try_from(sent).is_ok_and(|sent| sent >= count).then_some(())
        })
        .await;
    }

    /// How many connections wait for a lock in it.
    pub(crate) async fn waiting(&self) -> i64 {
        sqlx::query_scalar(
            "select count(*) from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(&self.pool)
        .await
        .expect("the database answers")
    }
}

#[derive(Debug, sqlx::FromRow)]
pub(crate) struct AuditLine {
    pub(crate) user_id: Option<uuid::Uuid>,
    pub(crate) connector_id: String,
    pub(crate) remote_ip: Option<String>,
    pub(crate) request_id: String,
}

/// The key files of all tests: what one process hashed, another can verify.
pub(crate) fn keys() -> &'static KeyFiles {
    static KEYS: OnceLock<KeyFiles> = OnceLock::new();
    let state = Path::new(env!("CARGO_TARGET_TMPDIR"));
    KEYS.get_or_init(|| KeyFiles::get_or_create(state).expect("key files"))
}

/// What codes in mail are made with.
pub(crate) fn code_key() -> CodeKey {
    let key = std::fs::read_to_string(&keys().code_key).expect("a key file");
    CodeKey::parse(&key).expect("a key")
}

/// The program without any configuration.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auth-connector"));
    command.env_clear();
    command
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// What `serve` is told for the role `login` at ports of the kernel.
pub(crate) fn serve_args(dsn: &str, options: &[&str]) -> ServeArgs {
    let arguments = [
        ["--postgres-dsn", dsn],
        ["--bcrypt-cost", "10"],
        ["--pepper-file", utf8(&keys().peppers)],
        ["--guard-key-file", utf8(&keys().guard_key)],
        ["--roles", "login"],
        ["--connector-grpc-listen", "127.0.0.1:0"],
        ["--admin-listen", "127.0.0.1:0"],
    ];
    let arguments = ["auth-connector", "serve"]
        .into_iter()
        .chain(arguments.into_iter().flatten())
        .chain(options.iter().copied());
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
    let CliCommand::Serve(args) = cli.command else { unreachable!("it says serve") };
    *args
}

fn tls_options(authority: &Authority) -> [&str; 6] {
    let Authority { ca, server, .. } = authority;
    [
        "--tls-cert-file",
        utf8(&server.cert),
        "--tls-key-file",
        utf8(&server.key),
        "--tls-ca-file",
        utf8(ca),
    ]
}

pub(crate) fn utf8(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// A running service with mutual TLS. Dropped = asked to stop.
pub(crate) struct Connector {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) authority: Authority,
    tasks: Tasks,
    _files: TempDir,
}

impl Connector {
    pub(crate) async fn start(dsn: &str) -> Self {
        Self::start_for(dsn, "dex").await
    }

    /// Lets in who bears one of these names.
    pub(crate) async fn start_for(dsn: &str, client_names: &str) -> Self {
        Self::start_with(dsn, &["--tls-client-names", client_names]).await
    }

    /// Serves with these options besides.
    pub(crate) async fn start_with(dsn: &str, options: &[&str]) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let authority = Pki::create(files.path()).expect("certificates").connector;
        let args = serve_args(dsn, &[&tls_options(&authority), options].concat());
        let app = App::build(&args).expect("it binds");
        let (address, admin) = (app.grpc_addr().expect("an address"), app.admin_addr());
        let lifecycle = Lifecycle::new(std::time::Duration::from_secs(10));
        let tasks = lifecycle.tasks();
        app.run(&lifecycle).await.expect("it runs");
        tokio::spawn(lifecycle.run_until_stopped());
        Self { address, admin, authority, tasks, _files: files }
    }

    /// A channel with Dex's certificate.
    pub(crate) fn channel(&self) -> Channel {
        let read = |path: &PathBuf| std::fs::read(path).expect("a PEM file");
        let client = &self.authority.client;
        self.channel_with(
            ClientTlsConfig::new()
                .domain_name("auth-connector")
                .ca_certificate(Certificate::from_pem(read(&self.authority.ca)))
                .identity(Identity::from_pem(read(&client.cert), read(&client.key))),
        )
    }

    pub(crate) fn channel_with(&self, tls: ClientTlsConfig) -> Channel {
        let endpoint = Channel::from_shared(format!("https://{}", self.address)).expect("a URL");
        endpoint.tls_config(tls).expect("usable TLS").connect_lazy()
    }

    pub(crate) fn client(&self) -> PasswordConnectorClient<Channel> {
        PasswordConnectorClient::new(self.channel())
    }

    /// Signs in.
    pub(crate) async fn login(&self, name: &str, password: &str) -> LoginResponse {
        answered(&self.client(), name, password).await
    }

    pub(crate) fn stop(&self) {
        self.tasks.stop();
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Signs in. On a machine that is busy with other tests an attempt may find no place to hash, or the database
/// too slow: it is told so, and counted nowhere. Tests of that call the client themselves.
pub(crate) async fn answered(
    client: &PasswordConnectorClient<Channel>,
    name: &str,
    password: &str,
) -> LoginResponse {
    told(client, &attempt(name, password)).await
}

/// The same of any attempt.
pub(crate) async fn told(
    client: &PasswordConnectorClient<Channel>,
    attempt: &LoginRequest,
) -> LoginResponse {
    eventually("an answer", async || match client.clone().login(attempt.clone()).await {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) if status.code() == Code::Unavailable => None,
        Err(status) => panic!("{status}"),
    })
    .await
}

pub(crate) fn attempt(name: &str, password: &str) -> LoginRequest {
    LoginRequest {
        username: name.to_owned(),
        password: password.to_owned(),
        scopes: Some(Scopes { offline_access: true, groups: true }),
        origin: Some(origin()),
    }
}

pub(crate) fn origin() -> Origin {
    Origin {
        connector_id: "local-postgres".to_owned(),
        remote_ip: "203.0.113.7".to_owned(),
        request_id: "request-1".to_owned(),
    }
}

/// A role that can log in, and its DSN. Its name wants to be quoted.
pub(crate) async fn role(database: &Database) -> (String, String) {
    let name = devstack::name::unique("we\"ird; role");
    let create = format!("create role \"{}\" login password 'x'", name.replace('"', "\"\""));
    sqlx::query(AssertSqlSafe(create)).execute(&database.pool).await.expect("a role");
    let mut dsn: Url = database.dsn.parse().expect("a URL");
    dsn.set_username(&name).expect("a name");
    dsn.set_password(Some("x")).expect("a password");
    (name, dsn.into())
}
