//! What a hosted Kafka asks of its clients: listeners with TLS, with SASL and with both.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::pki::{self, Authority};
use crate::ports;
use crate::secrets::write_private;

/// The user that may use those listeners that want one.
pub const USER: &str = "chat";
/// That user's password.
pub const PASSWORD: &str = "hunter2-of-kafka";

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

/// The listeners of a broker that are not for everybody, each `host:port`, and what it takes to be let in.
#[derive(Clone, Debug)]
pub struct Secured {
    /// TLS, with a certificate of the client.
    pub tls: String,
    /// TLS, with user and password.
    pub sasl_tls: String,
    /// User and password, without TLS.
    pub sasl: String,
    /// The authority of both sides' certificates. The broker's bears the address `127.0.0.1` alone.
    pub authority: Authority,
    /// The broker's key and certificate, as it wants them.
    identity: PathBuf,
}

impl Secured {
    /// Makes the certificates in a directory, and finds free ports.
    pub(super) fn create(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let authority = pki::authority(dir, "kafka", &["127.0.0.1"], "chat-api")?;
        let read = |path: &PathBuf| {
            fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
        };
        let identity = dir.join("kafka-identity.pem");
        let server = &authority.server;
        write_private(&identity, &[read(&server.key)?, read(&server.cert)?].concat())?;
        let free = || Ok::<_, anyhow::Error>(format!("127.0.0.1:{}", ports::free()?));
        Ok(Self { tls: free()?, sasl_tls: free()?, sasl: free()?, authority, identity })
    }

    /// Protocol and address of each listener.
    pub(super) fn listeners(&self) -> [(&'static str, &str); 3] {
        [
            ("SSL", self.tls.as_str()),
            ("SASL_SSL", self.sasl_tls.as_str()),
            ("SASL_PLAINTEXT", self.sasl.as_str()),
        ]
    }

    /// The broker's settings for them.
    pub(super) fn properties(&self) -> String {
        let mut lines = vec![
            "ssl.keystore.type=PEM".to_owned(),
            format!("ssl.keystore.location={}", self.identity.display()),
            "ssl.truststore.type=PEM".to_owned(),
            format!("ssl.truststore.location={}", self.authority.ca.display()),
            "listener.name.ssl.ssl.client.auth=required".to_owned(),
            format!("sasl.enabled.mechanisms={}", MECHANISMS.join(",")),
        ];
        for listener in ["sasl_ssl", "sasl_plaintext"] {
            for mechanism in MECHANISMS {
                let module = match mechanism {
                    "PLAIN" => {
                        format!("plain.PlainLoginModule required user_{USER}=\"{PASSWORD}\"")
                    }
                    _ => "scram.ScramLoginModule required".to_owned(),
                };
                let mechanism = mechanism.to_lowercase();
                lines.push(format!(
                    "listener.name.{listener}.{mechanism}.sasl.jaas.config=\
                     org.apache.kafka.common.security.{module};"
                ));
            }
        }
        lines.join("\n")
    }

    /// How the user is made when the log is formatted: SCRAM keeps its users there.
    pub(super) fn format_arguments() -> impl Iterator<Item = String> {
        MECHANISMS
            .into_iter()
            .filter(|mechanism| mechanism.starts_with("SCRAM"))
            .map(|mechanism| format!("--add-scram={mechanism}=[name={USER},password={PASSWORD}]"))
    }
}
