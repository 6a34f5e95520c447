//! Which database it is, and why it cannot be reached.

use std::io;

use secrecy::{ExposeSecret as _, SecretString};
use service_process::address;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _};
use thiserror::Error;
use tracing::warn;
use url::{ParseError, Url};

use super::Store;
use super::error::StoreError;
use super::timeouts::LONGEST_STEP;

/// What of a DSN is read. The client library would log any other parameter with its value, and a
/// mistyped `password` is one.
const PARAMETERS: [&str; 17] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
];

/// A data source name that cannot be used: which part. Nothing of it is repeated: it holds a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidDsn {
    /// The scheme is not that of PostgreSQL, or there is none.
    #[error("must be a postgres:// URL")]
    Scheme,
    /// The password ends early.
    #[error("the password is cut off: {}", address::HINT)]
    Password,
    /// The host cannot be one, or is missing.
    #[error("the host is not one ({})", address::HINT)]
    Host,
    /// The port is not a number that a port can be.
    #[error("the port is not a number from 0 to 65535 ({})", address::HINT)]
    Port,
    /// The value of this parameter, after the question mark.
    #[error("the parameter {0} has a value that it cannot have")]
    Parameter(&'static str),
    /// A part whose percent-encoding cannot be decoded.
    #[error("what is percent-encoded must be UTF-8")]
    Encoding,
}

/// Reads a data source name.
pub(super) fn parse(dsn: &SecretString) -> Result<PgConnectOptions, InvalidDsn> {
    let dsn = dsn.expose_secret();
    // The parser accepts any scheme.
    if !dsn.starts_with("postgres://") && !dsn.starts_with("postgresql://") {
        return Err(InvalidDsn::Scheme);
    }
    if address::password_is_cut(dsn) {
        return Err(InvalidDsn::Password);
    }
    let mut url = Url::parse(dsn).map_err(|error| match error {
        ParseError::InvalidPort => InvalidDsn::Port,
        _ => InvalidDsn::Host,
    })?;
    drop_unknown_parameters(&mut url);
    PgConnectOptions::from_url(&url).map_err(|_| at_fault(&url))
}

fn drop_unknown_parameters(url: &mut Url) {
    let is_known =
        |key: &str| PARAMETERS.contains(&key) || key == "options" || key.starts_with("options[");
    let (known, unknown): (Vec<_>, Vec<_>) =
        url.query_pairs().into_owned().partition(|(key, _)| is_known(key));
    if unknown.is_empty() {
        return;
    }
    for (parameter, _) in unknown {
        warn!(parameter, "a parameter of POSTGRES_DSN is not known and ignored");
    }
    url.set_query(None);
    if !known.is_empty() {
        url.query_pairs_mut().extend_pairs(known);
    }
}

/// The part that the client library does not take. It does not say which.
fn at_fault(url: &Url) -> InvalidDsn {
    for (key, value) in url.query_pairs() {
        let usable = match &*key {
            "sslmode" | "ssl-mode" => value.parse::<PgSslMode>().is_ok(),
            "hostaddr" => value.parse::<std::net::IpAddr>().is_ok(),
            "port" => value.parse::<u16>().is_ok(),
            "statement-cache-capacity" => value.parse::<usize>().is_ok(),
            _ => true,
        };
        if let Some(name) = PARAMETERS.into_iter().find(|name| *name == key && !usable) {
            return InvalidDsn::Parameter(name);
        }
    }
    InvalidDsn::Encoding
}

impl Store {
    /// Connects once, apart from the pool, which tries a server that is away again until its time is
    /// over and does not say then why. An error says where it was looked for and what stood in the way.
    pub async fn reach(&self) -> Result<(), StoreError> {
        let options = self.pool.connect_options();
        let connected = tokio::time::timeout(LONGEST_STEP, options.connect()).await;
        let reason = match connected {
            Ok(Ok(connection)) => {
                // It was reached; how it says good-bye is no matter.
                let _ = connection.close().await;
                return Ok(());
            }
            Ok(Err(error)) => why(&error),
            Err(_) => format!("no answer within {} ms", LONGEST_STEP.as_millis()),
        };
        Err(StoreError::Unreachable { place: self.place(), reason })
    }

    /// Which database it is and where, without anything secret.
    #[must_use]
    pub fn place(&self) -> String {
        let options = self.pool.connect_options();
        let database = options.get_database().unwrap_or("the role's database");
        match options.get_socket() {
            Some(socket) => format!("{database} on {}", socket.display()),
            None => format!("{database} on {}:{}", options.get_host(), options.get_port()),
        }
    }
}

/// What stood in the way, in a few words. Of what the server says, nothing that was sent to it.
fn why(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused".to_owned()
        }
        // A name without an address is another kind of error.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("its socket, or a certificate or key that POSTGRES_DSN names: {error}")
        }
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("TLS: {error}"),
        sqlx::Error::Database(error) => match error.code().as_deref() {
            // Names may be parts of a password that was not encoded.
            Some(code @ ("28P01" | "28000")) => {
                format!("authentication failed ({code}; {})", address::HINT)
            }
            Some("3D000") => "the database does not exist".to_owned(),
            _ => error.message().to_owned(),
        },
        error => error.to_string(),
    }
}

#[cfg(test)]
#[path = "reach_tests.rs"]
mod tests;
