//! Runs the real program, for what one process shares: its metrics, its log, its end.

use std::process::{Child, Command};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tonic::transport::Channel;

use crate::setup::eventually;

/// The running program. Dropped = killed.
pub(crate) struct Program {
    child: Child,
    grpc: String,
    admin: String,
}

impl Program {
    /// Starts `serve` in the role `login`, at ports of its own.
    pub(crate) async fn start(command: &mut Command) -> Self {
        Self::start_as("login", command).await
    }

    /// Starts `serve` in a role, at ports of its own.
    pub(crate) async fn start_as(role: &str, command: &mut Command) -> Self {
        let [grpc, admin] = [0, 1].map(|_| devstack::ports::free().expect("a port"));
        let [grpc, admin] = [grpc, admin].map(|port| format!("127.0.0.1:{port}"));
        let child = command
            .env("ROLES", role)
            .env("CONNECTOR_GRPC_LISTEN", &grpc)
            .env("ADMIN_LISTEN", &admin)
            .spawn()
            .expect("it starts");
        let program = Self { child, grpc, admin };
        let live = format!("http://{}/live", program.admin);
        eventually("the admin port", async || reqwest::get(&live).await.ok()).await;
        program
    }

    /// Where it is called.
    pub(crate) fn grpc(&self) -> &str {
        &self.grpc
    }

    /// A channel without TLS.
    pub(crate) fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.grpc)).expect("a URL").connect_lazy()
    }

    pub(crate) async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("http://{}/metrics", self.admin)).await;
        answer.expect("the admin port answers").text().await.expect("text")
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let answer = reqwest::get(format!("http://{}/ready", self.admin)).await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
    }

    /// Asks for an orderly stop and waits for it.
    pub(crate) async fn stop(mut self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, Signal::SIGTERM).expect("it can be signalled");
        let ended = tokio::task::spawn_blocking(move || self.child.wait()).await;
        let status = ended.expect("no panic").expect("its end");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
