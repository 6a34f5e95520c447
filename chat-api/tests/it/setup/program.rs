//! The program itself, as tests run it: a command to its end, or serving in a process of its own.

use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use tokio::process::{Child, Command};

use crate::setup::{HANG, ORIGIN, Setup, eventually};

pub(crate) fn program(setup: &Setup) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chat-api"));
    command
        .env_clear()
        .env("KAFKA_BROKERS", &setup.log.brokers)
        .env("KAFKA_TOPIC_PREFIX", &setup.log.prefix)
        .env("MONGODB_URI", &setup.mongodb_uri)
        .env("MONGODB_DATABASE", &setup.database)
        .env("DEX_ISSUER_URL", &setup.issuer.url)
        .env("CHAT_ALLOWED_ORIGINS", format!("{ORIGIN},http://localhost:5173"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The program as it serves, in a process of its own: metrics are one per process, and in that of the tests
/// all of them count.
pub(crate) struct Alone {
    _child: Child,
    pub(crate) http: reqwest::Client,
    admin: SocketAddr,
    pub(crate) address: SocketAddr,
}

impl Alone {
    pub(crate) fn start(setup: &Setup) -> Self {
        Self::with(setup, &[])
    }

    /// With these variables besides.
    pub(crate) fn with(setup: &Setup, variables: &[(&str, &str)]) -> Self {
        let (mut command, address) = serve(setup);
        let admin = free();
        command.env("ADMIN_LISTEN", admin.to_string()).envs(variables.iter().copied());
        let child = command.stderr(Stdio::null()).spawn();
        Self { _child: child.unwrap(), http: reqwest::Client::new(), admin, address }
    }

    /// None while it does not serve yet.
    pub(crate) async fn metrics(&self) -> Option<String> {
        let response = self.http.get(format!("http://{}/metrics", self.admin)).send().await.ok()?;
        response.text().await.ok()
    }

    /// Waits until it shows all of these lines.
    pub(crate) async fn shows(&self, lines: &[&str]) {
        eventually(&lines.join(", "), async || {
            let shown = self.metrics().await?;
            lines.iter().all(|line| shown.lines().any(|it| it == *line)).then_some(())
        })
        .await;
    }
}

fn free() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

/// The program as it serves, and where.
pub(crate) fn serve(setup: &Setup) -> (Command, SocketAddr) {
    let address = free();
    let mut command = program(setup);
    command
        .arg("serve")
        .env("CHAT_LISTEN", address.to_string())
        .env("ADMIN_LISTEN", free().to_string());
    (command, address)
}

pub(crate) fn terminate(id: u32) {
    std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap();
}

pub(crate) async fn finish(child: Child) -> (Option<i32>, String) {
    let output = tokio::time::timeout(HANG, child.wait_with_output()).await;
    let output = output.expect("the program ends").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The exit code, the answer and the log of a command.
pub(crate) async fn run(setup: &Setup, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = program(setup);
    command.args(arguments).stdout(Stdio::piped());
    let output = tokio::time::timeout(HANG, command.output()).await;
    let output = output.expect("the command ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}
