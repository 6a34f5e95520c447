//! A worker that sends mail, and the inbox that it comes to.

use std::process::Command;

use devstack::mail::{Mail, Sink, Speech, USER};
use devstack::pki::Pki;
use tempfile::TempDir;

use crate::setup::program::Program;
use crate::setup::{Database, eventually, keys, utf8};

/// Whom mail comes from here.
pub(crate) const FROM: &str = "Chat <no-reply@chat.example>";

/// A mail server with an inbox. Dropped = killed.
pub(crate) struct Inbox {
    pub(crate) sink: Sink,
    // After it: its mail lies there.
    files: TempDir,
}

impl Inbox {
    pub(crate) async fn open(speech: Speech) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let sink = Sink::start_private(files.path(), speech).await.expect("it starts");
        Self { sink, files }
    }

    /// What a worker has to know to send there.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![("SMTP_ADDRESS", self.sink.smtp()), ("MAIL_FROM", FROM.to_owned())];
        match self.sink.secured() {
            None => settings.push(("SMTP_ENCRYPTION", "none".to_owned())),
            Some(secured) => settings.extend([
                ("SMTP_CA_FILE", utf8(&secured.ca).to_owned()),
                ("SMTP_USER", USER.to_owned()),
                ("SMTP_PASSWORD_FILE", utf8(&secured.password).to_owned()),
            ]),
        }
        settings
    }

    pub(crate) async fn mails(&self) -> Vec<Mail> {
        self.sink.mails().await.expect("the inbox is read")
    }

    /// Waits until there are so many.
    pub(crate) async fn has(&self, count: usize) -> Vec<Mail> {
        eventually(&format!("{count} mails"), async || {
            let mails = self.mails().await;
            (mails.len() >= count).then_some(mails)
        })
        .await
    }

    /// A directory that goes with it.
    pub(crate) fn files(&self) -> &std::path::Path {
        self.files.path()
    }
}

/// A worker. Dropped = killed.
pub(crate) struct Postman {
    program: Program,
    _files: TempDir,
}

impl Postman {
    /// Starts one with these variables.
    pub(crate) async fn start(database: &Database, settings: &[(&str, String)]) -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let mut command = database.command(&["serve"]);
        command.env("LOG_LEVEL", "warn").env("CODE_KEY_FILE", &keys().code_key);
        command.envs(dex(&files)).envs(settings.iter().cloned());
        let program = Program::start_as("worker", &mut command).await;
        Self { program, _files: files }
    }

    pub(crate) fn kill(&mut self) {
        self.program.kill();
    }

    pub(crate) async fn stop(self) {
        self.program.stop().await;
    }

    pub(crate) async fn metrics(&self) -> String {
        self.program.metrics().await
    }
}

/// What `check-config` says of a worker with these variables.
pub(crate) fn checked(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let files = tempfile::tempdir().expect("a directory");
    let mut command: Command = crate::setup::program();
    command.args(["check-config", "--roles", "worker"]);
    command.env("POSTGRES_DSN", "postgres://a@127.0.0.1:1/a").envs(dex(&files));
    let output = command.envs(settings.iter().copied()).output().expect("it runs");
    (output.status.code(), crate::setup::text(&output))
}

/// What a worker needs for Dex, which is not there.
pub(crate) fn dex(files: &TempDir) -> [(&'static str, String); 4] {
    let pki = Pki::create(files.path()).expect("certificates").dex_admin;
    [
        ("DEX_API_ADDRESS", "127.0.0.1:1".to_owned()),
        ("DEX_API_CA_FILE", utf8(&pki.ca).to_owned()),
        ("DEX_API_CERT_FILE", utf8(&pki.client.cert).to_owned()),
        ("DEX_API_KEY_FILE", utf8(&pki.client.key).to_owned()),
    ]
}
