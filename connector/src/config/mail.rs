//! Where mail goes, and from whom it comes.

use std::path::PathBuf;

use axum::http::uri::Authority;
use clap::Args;
use lettre::message::Mailbox;
use thiserror::Error;

use super::address::parse_address;
use super::missing::{MissingOption, needed};
use super::roles::Role;
use crate::mail::{Encryption, Language, SmtpSettings};

/// Where mail goes, and from whom it comes.
#[derive(Debug, Clone, Args)]
pub struct MailArgs {
    /// The mail server, `HOST:PORT`, for the role `worker`. Without it mail waits, and is dead after a day.
    #[arg(long, env = "SMTP_ADDRESS", value_parser = parse_address)]
    pub smtp_address: Option<Authority>,

    /// How the connection to the mail server is encrypted: `starttls` begins in plain text and says
    /// nothing before TLS, `implicit` is TLS from the first byte, `none` is for a server on the same
    /// machine or network and sends no password.
    #[arg(long, env = "SMTP_ENCRYPTION", value_enum, default_value = "starttls")]
    pub smtp_encryption: Encryption,

    /// CA that signed the mail server's certificate, PEM; if left out, those that the system trusts.
    #[arg(long, env = "SMTP_CA_FILE")]
    pub smtp_ca_file: Option<PathBuf>,

    /// User at the mail server, if it asks for one.
    #[arg(long, env = "SMTP_USER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub smtp_user: Option<String>,

    /// File of that user's password; white space around it does not count.
    #[arg(long, env = "SMTP_PASSWORD_FILE")]
    pub smtp_password_file: Option<PathBuf>,

    /// Whom mail comes from, for example `Chat <no-reply@chat.example>`: the name is what mail calls the
    /// service. Needed with `SMTP_ADDRESS`.
    #[arg(long, env = "MAIL_FROM", value_parser = parse_sender)]
    pub mail_from: Option<Mailbox>,

    /// The language of mail.
    #[arg(long, env = "MAIL_LANGUAGE", value_enum, default_value = "en")]
    pub mail_language: Language,
}

/// Options that contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidMail {
    /// The worker cannot do without.
    #[error(transparent)]
    Missing(#[from] MissingOption),
    /// One is useless without the other.
    #[error("SMTP_USER and SMTP_PASSWORD_FILE go together")]
    Login,
    /// Whoever listens would have the password.
    #[error("SMTP_ENCRYPTION: none does not go with SMTP_USER, whose password all could read")]
    PlainPassword,
}

impl MailArgs {
    /// Everything that is needed to send; `None` if there is no mail server.
    pub fn settings(&self) -> Result<Option<SmtpSettings>, InvalidMail> {
        let Some(address) = &self.smtp_address else { return Ok(None) };
        let login = match (&self.smtp_user, &self.smtp_password_file) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            (None, None) => None,
            _ => return Err(InvalidMail::Login),
        };
        if login.is_some() && self.smtp_encryption == Encryption::None {
            return Err(InvalidMail::PlainPassword);
        }
        let host = address.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(SmtpSettings {
            server: (host, address.port_u16().unwrap_or_default()),
            encryption: self.smtp_encryption,
            ca: self.smtp_ca_file.clone(),
            login,
            from: needed(self.mail_from.as_ref(), "mail-from", Role::Worker)?,
        }))
    }
}

#[derive(Debug, Error)]
#[error("expected ADDRESS or NAME <ADDRESS>, on one line")]
struct InvalidSender;

fn parse_sender(text: &str) -> Result<Mailbox, InvalidSender> {
    if text.contains(char::is_control) {
        return Err(InvalidSender);
    }
    text.parse().map_err(|_| InvalidSender)
}
