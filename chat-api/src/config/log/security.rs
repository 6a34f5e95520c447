//! How Kafka is reached: with TLS or without, and as whom.

use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, NonEmptyStringValueParser};
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::input;

use crate::config::invalid::BadConfiguration;
use crate::kafka::{ClientCertificate, Sasl, SaslMechanism, Security, Tls};

/// How Kafka is reached: with TLS or without, and as whom.
#[derive(Debug, Clone, Default, Args)]
pub struct SecurityArgs {
    /// How Kafka is reached, in its own words: with TLS (SSL) or without, with a password (SASL) or
    /// without.
    #[arg(long, env = "KAFKA_SECURITY_PROTOCOL", value_enum, ignore_case = true, default_value_t)]
    pub kafka_security_protocol: SecurityProtocol,

    /// CAs that the brokers' certificates may come from, PEM; those of the system if left out.
    #[arg(long, env = "KAFKA_CA_FILE")]
    pub kafka_ca_file: Option<PathBuf>,

    /// Certificate chain to show to brokers that ask for one, PEM.
    #[arg(long, env = "KAFKA_CERT_FILE")]
    pub kafka_cert_file: Option<PathBuf>,

    /// Private key of that certificate, PEM, not encrypted.
    #[arg(long, env = "KAFKA_KEY_FILE")]
    pub kafka_key_file: Option<PathBuf>,

    /// How the password is proved to the brokers. Needed with SASL.
    #[arg(long, env = "KAFKA_SASL_MECHANISM", value_enum, ignore_case = true)]
    pub kafka_sasl_mechanism: Option<SaslMechanism>,

    /// The user that this program is to the brokers. Needed with SASL.
    #[arg(long, env = "KAFKA_SASL_USER", value_parser = NonEmptyStringValueParser::new())]
    pub kafka_sasl_user: Option<String>,

    /// Password of that user. It, or the file that has it, is needed with SASL.
    #[arg(long, env = "KAFKA_SASL_PASSWORD", hide_env_values = true)]
    pub kafka_sasl_password: Option<SecretString>,

    /// File that has the password, instead. An end of line behind it does not count.
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE")]
    pub kafka_sasl_password_file: Option<PathBuf>,

    /// Allow `SASL_PLAINTEXT`, so that whoever sees the network sees what is said, with `PLAIN` the
    /// password too. For private networks only.
    #[arg(long, env = "KAFKA_ALLOW_SASL_PLAINTEXT", value_parser = BoolishValueParser::new())]
    pub kafka_allow_sasl_plaintext: bool,
}

/// Kafka's `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum SecurityProtocol {
    /// Neither TLS nor a password.
    #[default]
    #[value(name = "PLAINTEXT")]
    Plaintext,
    /// TLS.
    #[value(name = "SSL")]
    Ssl,
    /// A password, without TLS.
    #[value(name = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// A password, behind TLS.
    #[value(name = "SASL_SSL")]
    SaslSsl,
}

impl SecurityArgs {
    /// Settings that go together, with files that can be read.
    pub(super) fn security(&self) -> Result<Security, BadConfiguration> {
        use SecurityProtocol as Protocol;
        let (has_tls, has_sasl) = match self.kafka_security_protocol {
            Protocol::Plaintext => (false, false),
            Protocol::Ssl => (true, false),
            Protocol::SaslSsl => (true, true),
            Protocol::SaslPlaintext if self.kafka_allow_sasl_plaintext => (false, true),
            Protocol::SaslPlaintext => {
                let reason = "SASL_PLAINTEXT lets whoever sees the network see what is said: use \
                              SASL_SSL, or --kafka-allow-sasl-plaintext on a private network";
                return Err(BadConfiguration::new("kafka-security-protocol", reason));
            }
        };
        self.refuse_what_has_no_use(has_tls, has_sasl)?;
        let tls = has_tls.then(|| self.tls()).transpose()?;
        let sasl = has_sasl.then(|| self.sasl()).transpose()?;
        Ok(Security { tls, sasl })
    }

    /// What is given and would not be used: its operator believes in a protection that is not there.
    fn refuse_what_has_no_use(
        &self,
        has_tls: bool,
        has_sasl: bool,
    ) -> Result<(), BadConfiguration> {
        let of_tls = [
            ("kafka-ca-file", self.kafka_ca_file.is_some()),
            ("kafka-cert-file", self.kafka_cert_file.is_some()),
            ("kafka-key-file", self.kafka_key_file.is_some()),
        ];
        let of_sasl = [
            ("kafka-sasl-mechanism", self.kafka_sasl_mechanism.is_some()),
            ("kafka-sasl-user", self.kafka_sasl_user.is_some()),
            ("kafka-sasl-password", self.kafka_sasl_password.is_some()),
            ("kafka-sasl-password-file", self.kafka_sasl_password_file.is_some()),
        ];
        let given = |options: &[(&'static str, bool)]| {
            options.iter().find(|(_, is_given)| *is_given).map(|(option, _)| *option)
        };
        let refuse = |option, protocols: &str| {
            let reason = format!("has no use unless --kafka-security-protocol is {protocols}");
            Err(BadConfiguration::new(option, reason))
        };
        match (given(&of_tls), given(&of_sasl)) {
            (Some(option), _) if !has_tls => refuse(option, "SSL or SASL_SSL"),
            (_, Some(option)) if !has_sasl => refuse(option, "SASL_SSL or SASL_PLAINTEXT"),
            _ => Ok(()),
        }
    }

    fn tls(&self) -> Result<Tls, BadConfiguration> {
        let client = match (&self.kafka_cert_file, &self.kafka_key_file) {
            (Some(chain), Some(key)) => {
                Some(ClientCertificate { chain: chain.clone(), key: key.clone() })
            }
            (None, None) => None,
            (Some(_), None) => {
                return Err(BadConfiguration::new("kafka-cert-file", "needs --kafka-key-file"));
            }
            (None, Some(_)) => {
                return Err(BadConfiguration::new("kafka-key-file", "needs --kafka-cert-file"));
            }
        };
        readable("kafka-ca-file", self.kafka_ca_file.as_deref())?;
        readable("kafka-cert-file", self.kafka_cert_file.as_deref())?;
        readable("kafka-key-file", self.kafka_key_file.as_deref())?;
        let tls = Tls { ca: self.kafka_ca_file.clone(), client };
        // One after the other, so that it is known whose fault it is.
        usable(Tls { client: None, ..tls.clone() })
            .map_err(|reason| BadConfiguration::new("kafka-ca-file", reason))?;
        usable(tls.clone()).map_err(|reason| {
            let reason = format!("it and --kafka-key-file cannot be used: {reason}");
            BadConfiguration::new("kafka-cert-file", reason)
        })?;
        Ok(tls)
    }

    fn sasl(&self) -> Result<Sasl, BadConfiguration> {
        let mechanism = self.kafka_sasl_mechanism.ok_or_else(|| needed("kafka-sasl-mechanism"))?;
        let user = self.kafka_sasl_user.clone().ok_or_else(|| needed("kafka-sasl-user"))?;
        Ok(Sasl { mechanism, user, password: self.password()? })
    }

    fn password(&self) -> Result<SecretString, BadConfiguration> {
        match (&self.kafka_sasl_password, &self.kafka_sasl_password_file) {
            (Some(password), None) => Ok(password.clone()),
            (None, Some(file)) => read(file)
                .map_err(|reason| BadConfiguration::new("kafka-sasl-password-file", reason)),
            (None, None) => {
                let reason = "KAFKA_SASL_PASSWORD or --kafka-sasl-password-file is needed";
                Err(BadConfiguration::new("kafka-sasl-password", reason))
            }
            (Some(_), Some(_)) => {
                let reason = "KAFKA_SASL_PASSWORD is given as well: there can be one of them";
                Err(BadConfiguration::new("kafka-sasl-password-file", reason))
            }
        }
    }
}

fn needed(option: &'static str) -> BadConfiguration {
    BadConfiguration::new(option, "is needed with SASL_SSL and SASL_PLAINTEXT")
}

/// OpenSSL does not say of which file, nor why.
fn readable(option: &'static str, file: Option<&Path>) -> Result<(), BadConfiguration> {
    let Some(file) = file else { return Ok(()) };
    let unreadable = |error: std::io::Error| {
        BadConfiguration::new(option, format!("{} cannot be read: {error}", file.display()))
    };
    std::fs::File::open(file).map(drop).map_err(unreadable)
}

fn usable(tls: Tls) -> Result<(), String> {
    Security { tls: Some(tls), sasl: None }.check().map_err(|error| error.to_string())
}

/// The password in a file. Nothing that the file holds is repeated.
fn read(file: &Path) -> Result<SecretString, String> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("{shown} cannot be read: {error}"))?;
    let text = SecretString::from(text);
    let password = input::without_byte_order_mark(text.expose_secret());
    let password = password.trim_end_matches(['\r', '\n']);
    // The client library takes a NUL for the end.
    if password.is_empty() || password.contains('\0') {
        return Err(format!("{shown} holds no password"));
    }
    Ok(password.into())
}
