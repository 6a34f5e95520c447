//! Handing mail to a mail server (SMTP, RFC 5321).

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Tls, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Code;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};
use service_process::input;
use thiserror::Error;
use tokio::time::timeout;
use uuid::Uuid;

use super::letter::Letter;

/// How long a mail may take from the first packet to the server's last word. RFC 5321 §4.5.3.2 would have
/// us wait for minutes at each step; a mail that was taken after all is then sent a second time, which
/// is better than one that keeps the others waiting.
const LONGEST_SEND: Duration = Duration::from_secs(30);

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Encryption {
    /// It begins in plain text and must become TLS before anything is said (RFC 3207).
    Starttls,
    /// TLS from the first byte (RFC 8314 §3.3).
    Implicit,
    /// Never: only for a server on the same machine or network.
    None,
}

/// Where the mail server is, what it is told of us, and from whom mail comes.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host and port; with TLS its certificate must bear the host.
    pub server: (String, u16),
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The CA that signed its certificate, PEM; without one those that the system trusts.
    pub ca: Option<PathBuf>,
    /// User, and the file of the password, if the server asks for them.
    pub login: Option<(String, PathBuf)>,
    /// Whom mail comes from.
    pub from: Mailbox,
}

/// The mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    settings: SmtpSettings,
}

/// What is there to reach the mail server cannot be used.
#[derive(Debug, Error)]
pub enum InvalidSmtp {
    /// A file cannot be read, or holds something else.
    #[error("{option}: {path} is not usable: {reason}")]
    File {
        /// The variable of the option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, without anything that the file holds.
        reason: String,
    },
    /// No TLS can be made of what is there.
    #[error("SMTP_CA_FILE, or the certificates of the system, are not usable")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// A mail was not taken, as far as we know. What the server says of it is left out: it may repeat the
/// address.
#[derive(Debug, Error)]
pub enum SendError {
    /// The account's address cannot be one of an envelope.
    #[error("the address is not usable")]
    Address(#[from] AddressError),
    /// A mail that cannot be composed.
    #[error("the mail cannot be composed")]
    Composition(#[from] lettre::error::Error),
    /// The server refused.
    #[error("the mail server answered {0}")]
    Refused(Code),
    /// It did not say that it took the mail.
    #[error("the mail server did not take the mail within {} s", LONGEST_SEND.as_secs())]
    TimedOut,
    /// It takes no address like this one.
    #[error("the mail server takes no addresses that are not ASCII (SMTPUTF8)")]
    NotAscii,
    /// It cannot be reached, or what it says is no SMTP.
    #[error("no usable connection to the mail server: {0}")]
    Connection(String),
}

impl SendError {
    /// Whether it says nothing of the mail: the server cannot be reached, is about to close (421), or does not
    /// let us in (454, 530, 534, 535, 538: RFC 4954 §6).
    #[must_use]
    pub fn is_of_the_server(&self) -> bool {
        match self {
            Self::Refused(code) => [421, 454, 530, 534, 535, 538].contains(&u16::from(*code)),
            Self::Connection(_) => true,
            // A server may take its time over one recipient, and none over the next.
            Self::Address(_) | Self::Composition(_) | Self::NotAscii | Self::TimedOut => false,
        }
    }

    /// Whether the server will say the same of this mail next time, as far as it knows (RFC 5321 §4.2.1: a
    /// reply 5yz).
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::Refused(code) => (500..600).contains(&u16::from(*code)),
            Self::NotAscii => true,
            Self::Address(_) | Self::Composition(_) | Self::TimedOut | Self::Connection(_) => false,
        }
    }
}

impl Smtp {
    /// Checks that the files can be used. Dials nobody.
    pub fn open(settings: SmtpSettings) -> Result<Self, InvalidSmtp> {
        let smtp = Self { settings };
        smtp.sender()?;
        Ok(smtp)
    }

    /// What the service is called: the name that its mail comes from, else the domain.
    #[must_use]
    pub fn service(&self) -> &str {
        let from = &self.settings.from;
        from.name.as_deref().unwrap_or_else(|| from.email.domain())
    }

    /// Host and port of the server.
    #[must_use]
    pub fn place(&self) -> String {
        let (host, port) = &self.settings.server;
        format!("{host}:{port}")
    }

    /// How the connection is encrypted.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        self.settings.encryption
    }

    /// Whether it logs in.
    #[must_use]
    pub fn logs_in(&self) -> bool {
        self.settings.login.is_some()
    }

    /// One who sends, with the files as they are now.
    pub fn sender(&self) -> Result<Sender, InvalidSmtp> {
        let SmtpSettings { server: (host, port), encryption, ca, login, from } = &self.settings;
        let tls = || tls(host, ca.as_deref());
        let tls = match encryption {
            Encryption::Starttls => Tls::Required(tls()?),
            Encryption::Implicit => Tls::Wrapper(tls()?),
            Encryption::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .hello_name(ClientId::Domain(from.email.domain().to_owned()))
            // One limit is enough: that of the whole.
            .timeout(None);
        if let Some((user, password)) = login {
            let password = read_password(password)?;
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            transport = transport.credentials(credentials);
        }
        Ok(Sender { transport: transport.build(), from: from.clone() })
    }
}

/// Sends mail, on a connection for each.
#[derive(Debug)]
pub struct Sender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Sender {
    /// Hands a letter to the server. `Ok`: the server has it, and answers for it. Each try with the same
    /// `id` has the same Message-ID, by which readers tell that it is one mail.
    pub async fn send(
        &self,
        letter: &Letter,
        to: &str,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), SendError> {
        let message = self.message(letter, to.parse()?, id, now)?;
        match timeout(LONGEST_SEND, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(match error.status() {
                Some(code) => SendError::Refused(code),
                // What lettre finds missing before it hands such an address over is this, or all mail fails of it.
                None if error.is_client() && !to.is_ascii() => SendError::NotAscii,
                None if error.is_response() => SendError::Connection("no SMTP".to_owned()),
                None => SendError::Connection(error.to_string()),
            }),
            Err(_) => Err(SendError::TimedOut),
        }
    }

    fn message(
        &self,
        letter: &Letter,
        to: Address,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Message, SendError> {
        let header = |name, value: &str| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
        };
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            // RFC 3834 §5: nobody's absence is to answer.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", letter.language.tag()))
            .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()))?;
        Ok(message)
    }
}

/// What the server's certificate has to come from, and to bear.
fn tls(host: &str, ca: Option<&Path>) -> Result<TlsParameters, InvalidSmtp> {
    let builder = TlsParametersBuilder::new(host.to_owned());
    let builder = match ca {
        Some(path) => {
            let fault = |reason| InvalidSmtp::File {
                option: "SMTP_CA_FILE",
                path: path.to_owned(),
                reason,
            };
            let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
            // An empty file would be taken, and nothing believed.
            CertificateDer::from_pem_slice(&pem).map_err(|error| fault(error.to_string()))?;
            let ca = Certificate::from_pem(&pem).map_err(|error| fault(error.to_string()))?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(ca)
        }
        None => builder,
    };
    builder.build().map_err(InvalidSmtp::Tls)
}

/// The password in a file, without white space around it.
fn read_password(path: &Path) -> Result<SecretString, InvalidSmtp> {
    let fault =
        |reason| InvalidSmtp::File { option: "SMTP_PASSWORD_FILE", path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let text = SecretString::from(text);
    let password = input::without_byte_order_mark(text.expose_secret()).trim();
    if password.is_empty() {
        return Err(fault("it is empty".to_owned()));
    }
    Ok(password.to_owned().into())
}
