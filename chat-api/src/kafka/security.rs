//! How every client of the log reaches the brokers: with TLS or without, and as whom.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use secrecy::{ExposeSecret as _, SecretString};

use super::error::LogError;

/// How every client of the log reaches the brokers. By default without TLS, and as nobody.
#[derive(Debug, Clone, Default)]
pub struct Security {
    /// TLS, if there is any. The brokers' certificates must bear the names that they are reached by.
    pub tls: Option<Tls>,
    /// Who this program is to the brokers, if they ask.
    pub sasl: Option<Sasl>,
}

/// Whom to believe, and what to show. The files are read when a client is made.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The CAs that the brokers' certificates may come from, PEM; those of the system if absent.
    pub ca: Option<PathBuf>,
    /// What to show to brokers that ask for a certificate.
    pub client: Option<ClientCertificate>,
}

/// A certificate with its key, PEM.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its CA.
    pub chain: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

/// Who this program is to the brokers, and how that is proved.
#[derive(Debug, Clone)]
pub struct Sasl {
    /// How it is proved.
    pub mechanism: SaslMechanism,
    /// The name of the user.
    pub user: String,
    /// The user's password.
    pub password: SecretString,
}

/// How a password is proved to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SaslMechanism {
    /// By showing it (RFC 4616).
    #[value(name = "PLAIN")]
    Plain,
    /// Without showing it (RFC 5802, RFC 7677).
    #[value(name = "SCRAM-SHA-256")]
    ScramSha256,
    /// The same with the longer hash.
    #[value(name = "SCRAM-SHA-512")]
    ScramSha512,
}

impl SaslMechanism {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

impl Security {
    /// Has the client library read the files of TLS, as every client will. Connects to nothing.
    pub fn check(&self) -> Result<(), LogError> {
        let mut config = ClientConfig::new();
        self.apply(&mut config);
        let _: BaseConsumer = config.create()?;
        Ok(())
    }

    /// Adds the settings to those of a client.
    pub(super) fn apply(&self, config: &mut ClientConfig) {
        let protocol = match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(Tls { ca, client }) = &self.tls {
            // The OpenSSL that is linked in does not know where this system keeps its CAs.
            let ca = ca.as_deref().map_or(Cow::Borrowed("probe"), Path::to_string_lossy);
            config.set("ssl.ca.location", ca);
            if let Some(ClientCertificate { chain, key }) = client {
                config
                    .set("ssl.certificate.location", chain.to_string_lossy())
                    .set("ssl.key.location", key.to_string_lossy());
            }
        }
        if let Some(Sasl { mechanism, user, password }) = &self.sasl {
            config
                .set("sasl.mechanism", mechanism.name())
                .set("sasl.username", user)
                .set("sasl.password", password.expose_secret());
        }
    }
}
