//! The mail sink: a real mail server that takes every mail, delivers none, and shows them all.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::net::TcpStream;

use crate::part::{Part, probe};
use crate::program::Program;
use crate::secrets::write_private;
use crate::{checkout, http, pki, ports};

/// The user of a sink that asks for one.
pub const USER: &str = "accounts";
/// That user's password.
pub const PASSWORD: &str = "hunter2-of-mail";

/// How a sink is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Without TLS and without a password.
    Plain,
    /// The same, and only with addresses that are ASCII (RFC 6531 is not offered).
    Ascii,
    /// STARTTLS first, then user and password.
    Starttls,
    /// TLS from the first byte, then user and password.
    Tls,
}

/// A mail sink; killed when dropped.
pub struct Sink {
    part: Part,
    smtp: SocketAddrV4,
    inbox: SocketAddrV4,
    secured: Option<Secured>,
}

/// What a client of a sink with TLS needs.
#[derive(Clone, Debug)]
pub struct Secured {
    /// The authority of its certificate, which bears `localhost` and `127.0.0.1`.
    pub ca: PathBuf,
    /// The file of [`PASSWORD`].
    pub password: PathBuf,
}

/// A mail in the inbox.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields of maildev's API that we read")]
pub struct Mail {
    pub subject: String,
    pub text: String,
    pub html: String,
    pub headers: serde_json::Map<String, serde_json::Value>,
    pub envelope: Envelope,
}

/// Whom a mail was handed over for, whatever its head says.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the fields of maildev's API that we read")]
pub struct Envelope {
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
}

/// One address of an envelope.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the field of maildev's API that we read")]
pub struct Mailbox {
    pub address: String,
}

impl Sink {
    /// Starts a sink on ports nobody listens on. Its mail lies in the directory, and is there again after a
    /// restart.
    pub async fn start_private(state: &Path, speech: Speech) -> Result<Self> {
        let (smtp, inbox) = (local(ports::free()?), local(ports::free()?));
        let sink = Self::prepare_at(state, (smtp, inbox), speech)?;
        sink.start().await?;
        Ok(sink)
    }

    /// One that hears mail at the first address and shows it at the second.
    pub(crate) fn prepare_at(
        state: &Path,
        (smtp, inbox): (SocketAddrV4, SocketAddrV4),
        speech: Speech,
    ) -> Result<Self> {
        let text = |part: &dyn std::fmt::Display| part.to_string();
        let program = Program::new("node")
            .args([checkout::state().join("mail/sink.js")])
            .args(["--ip", &text(smtp.ip()), "--smtp", &text(&smtp.port())])
            .args(["--web-ip", &text(inbox.ip()), "--web", &text(&inbox.port())])
            .args(["--mail-directory".as_ref(), state.join("mails").as_os_str()]);
        let (program, secured) = match speech {
            Speech::Plain => (program, None),
            Speech::Ascii => (program.args(["--hide-extensions", "SMTPUTF8"]), None),
            Speech::Starttls => secured(program, state)?,
            Speech::Tls => {
                let (program, secured) = secured(program, state)?;
                (program.args(["--incoming-secure"]), secured)
            }
        };
        let ready = probe(move || async move {
            TcpStream::connect(smtp).await.context("SMTP is not listened to")?;
            http::answers(&format!("http://{inbox}/healthz")).await
        });
        let part = Part::new("mail", program, state, ready);
        Ok(Self { part, smtp, inbox, secured })
    }

    /// Where mail is handed over, `host:port`.
    #[must_use]
    pub fn smtp(&self) -> String {
        format!("localhost:{}", self.smtp.port())
    }

    /// What a client needs, if it asks for TLS.
    #[must_use]
    pub fn secured(&self) -> Option<&Secured> {
        self.secured.as_ref()
    }

    /// All mail that it has taken, in the order of its coming.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        mails(&self.inbox()).await
    }

    /// Where it shows its mail.
    pub(crate) fn inbox(&self) -> String {
        format!("http://{}", self.inbox)
    }
}

/// All mail in the inbox of a sink, in the order of its coming.
pub async fn mails(inbox: &str) -> Result<Vec<Mail>> {
    let client = reqwest::Client::builder().no_proxy().build().context("no HTTP client")?;
    let answer = client.get(format!("{inbox}/email")).send().await;
    let answer = answer.and_then(reqwest::Response::error_for_status);
    answer.context("the inbox does not answer")?.json().await.context("the inbox is no JSON")
}

pub(crate) fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

impl Deref for Sink {
    type Target = Part;

    fn deref(&self) -> &Part {
        &self.part
    }
}

/// The program with a certificate, user and password.
fn secured(program: Program, state: &Path) -> Result<(Program, Option<Secured>)> {
    let dir = state.join("mail-pki");
    std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let authority = pki::authority(&dir, "mail", &["localhost", "127.0.0.1"], "auth-connector")?;
    let password = dir.join("password");
    write_private(&password, PASSWORD)?;
    let program = program
        .env("MAILDEV_INCOMING_CERT", &authority.server.cert)
        .env("MAILDEV_INCOMING_KEY", &authority.server.key)
        .env("MAILDEV_INCOMING_USER", USER)
        .env("MAILDEV_INCOMING_PASS", PASSWORD);
    Ok((program, Some(Secured { ca: authority.ca, password })))
}
