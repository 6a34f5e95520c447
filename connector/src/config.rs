//! What an operator can set. Everything is checked before anything is bound.

mod accounts;
mod address;
mod dex_api;
mod dex_login;
mod limits;
mod local;
mod lockout;
mod mail;
mod missing;
mod passwords;
mod roles;
mod sign_in;
mod tls_files;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use service_process::cli::item;
use service_process::listener::ListenerArgs;
use service_process::telemetry::TelemetryArgs;

pub use accounts::{AccountsArgs, InvalidPublicUrl, PublicUrl};
pub use dex_api::DexApiArgs;
pub use dex_login::{DexLoginArgs, InvalidIssuer, Issuer};
pub use limits::LimitsArgs;
pub use lockout::LockoutArgs;
pub use mail::{InvalidMail, MailArgs};
pub use missing::MissingOption;
pub use passwords::{CodeKeyArgs, GuardKeyArgs, InvalidKeyFile, PasswordArgs};
pub use roles::{Role, RolesArgs};
pub use sign_in::{InvalidSignIn, SignInArgs};
pub use tls_files::TlsFiles;

use crate::store::CONNECTIONS;
use missing::needed;

/// Where the accounts are.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// The accounts database, for example `postgres://accounts:…@db:5432/accounts?sslmode=verify-full`.
    #[arg(long, env = "POSTGRES_DSN", hide_env_values = true)]
    pub postgres_dsn: SecretString,

    /// Connections to the database that this process opens at most, 4 to 1000. Half of them, 5 at most,
    /// let attempts in; a quarter is for sessions that go on.
    #[arg(long, env = "POSTGRES_CONNECTIONS", default_value_t = CONNECTIONS,
          value_parser = clap::value_parser!(u32).range(4..=1000))]
    pub postgres_connections: u32,

    /// How this command logs.
    #[command(flatten)]
    pub telemetry: TelemetryArgs,
}

/// Everything that `serve` needs.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The accounts database, and logs.
    #[command(flatten)]
    pub store: StoreArgs,

    /// What this process does.
    #[command(flatten)]
    pub roles: RolesArgs,

    /// Hashing.
    #[command(flatten)]
    pub passwords: PasswordArgs,

    /// Counting without names.
    #[command(flatten)]
    pub guard_key: GuardKeyArgs,

    /// How many attempts are let in.
    #[command(flatten)]
    pub limits: LimitsArgs,

    /// How many failures an account bears.
    #[command(flatten)]
    pub lockout: LockoutArgs,

    /// Dex's admin API.
    #[command(flatten)]
    pub dex_api: DexApiArgs,

    /// How people sign in to the accounts pages.
    #[command(flatten)]
    pub sign_in: SignInArgs,

    /// Mail.
    #[command(flatten)]
    pub mail: MailArgs,

    /// Codes in it.
    #[command(flatten)]
    pub code_key: CodeKeyArgs,

    /// Where Dex reaches the connector.
    #[arg(long, env = "CONNECTOR_GRPC_LISTEN", default_value = "0.0.0.0:5557")]
    pub connector_grpc_listen: SocketAddr,

    /// Where people reach the accounts pages.
    #[arg(long, env = "ACCOUNTS_LISTEN", default_value = "0.0.0.0:5559")]
    pub accounts_listen: SocketAddr,

    /// The accounts pages.
    #[command(flatten)]
    pub accounts: AccountsArgs,

    /// Where they lead back to, and whose tokens they take.
    #[command(flatten)]
    pub dex_login: DexLoginArgs,

    /// What the accounts pages bear.
    #[command(flatten)]
    pub listener: ListenerArgs,

    /// Where the platform asks for life, readiness and metrics.
    #[arg(long, env = "ADMIN_LISTEN", default_value = "0.0.0.0:9101")]
    pub admin_listen: SocketAddr,

    /// What the call `Prompt` answers: the label of the name field. Dex shows its own setting `prompt`.
    #[arg(long, env = "CONNECTOR_PROMPT", default_value = "Username or e-mail",
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub connector_prompt: String,

    /// How old a connection to the connector may become, in seconds: then its caller is told to open
    /// another, which may lead to another replica, and calls under way are finished.
    #[arg(long, env = "CONNECTOR_CONNECTION_AGE", default_value = "300",
          value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub connector_connection_age: u32,

    /// Certificate chain of the connector, PEM. Needed by the role `login`.
    #[arg(long, env = "TLS_CERT_FILE")]
    pub tls_cert_file: Option<PathBuf>,

    /// Private key of that certificate, PEM. Needed by the role `login`.
    #[arg(long, env = "TLS_KEY_FILE")]
    pub tls_key_file: Option<PathBuf>,

    /// CA that signed the certificates of those who may call, PEM. Needed by the role `login`.
    #[arg(long, env = "TLS_CA_FILE")]
    pub tls_ca_file: Option<PathBuf>,

    /// DNS names of those who may call, separated by commas: the certificate must bear one of them.
    #[arg(long, env = "TLS_CLIENT_NAMES", default_value = "dex", value_delimiter = ',',
          value_parser = item(clap::builder::NonEmptyStringValueParser::new()))]
    pub tls_client_names: Vec<String>,

    /// Show the contract to whoever asks for it (gRPC reflection), for tools such as grpcurl.
    #[arg(long = "reflection", env = "CONNECTOR_REFLECTION",
          value_parser = clap::builder::BoolishValueParser::new())]
    pub connector_reflection: bool,

    /// Serve without TLS, so that whoever reaches the port may guess. For development only.
    #[arg(long, env = "CONNECTOR_INSECURE", value_parser = clap::builder::BoolishValueParser::new(),
          conflicts_with_all = ["tls_cert_file", "tls_key_file", "tls_ca_file"])]
    pub insecure: bool,
}

impl ServeArgs {
    /// The TLS files; `None` when the connector is to serve without TLS.
    pub fn tls_files(&self) -> Result<Option<TlsFiles>, MissingOption> {
        if self.insecure {
            return Ok(None);
        }
        Ok(Some(TlsFiles {
            certificate: needed(self.tls_cert_file.as_ref(), "tls-cert-file", Role::Login)?,
            key: needed(self.tls_key_file.as_ref(), "tls-key-file", Role::Login)?,
            ca: needed(self.tls_ca_file.as_ref(), "tls-ca-file", Role::Login)?,
            client_names: self.tls_client_names.clone(),
        }))
    }
}
