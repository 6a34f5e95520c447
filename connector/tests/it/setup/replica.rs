//! Real replicas: several processes of the program on one database.

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{LoginRequest, LoginResponse};
use tonic::transport::Channel;

use crate::setup::program::Program;
use crate::setup::{Database, attempt, eventually};

/// A running program without TLS. Dropped = killed.
pub(crate) struct Replica {
    program: Program,
    channel: Channel,
}

impl Replica {
    /// Starts one with these variables, and waits until it is ready.
    pub(crate) async fn start(database: &Database, variables: &[(&str, &str)]) -> Self {
        let mut command = database.command(&["serve", "--insecure"]);
        command.env("LOG_LEVEL", "warn").envs(variables.iter().copied());
        let program = Program::start(&mut command).await;
        eventually("it is ready", async || program.is_ready().await.then_some(())).await;
        Self { channel: program.channel(), program }
    }

    /// Three of the same.
    pub(crate) async fn start_three(database: &Database, variables: &[(&str, &str)]) -> [Self; 3] {
        let start = || Self::start(database, variables);
        tokio::join!(start(), start(), start()).into()
    }

    pub(crate) fn client(&self) -> PasswordConnectorClient<Channel> {
        PasswordConnectorClient::new(self.channel.clone())
    }

    /// Where it is called.
    pub(crate) fn address(&self) -> String {
        self.program.grpc().to_owned()
    }

    /// A channel of its own: calls on it do not wait behind others on their connection.
    pub(crate) fn channel(&self) -> Channel {
        self.program.channel()
    }

    pub(crate) async fn login(
        &self,
        request: LoginRequest,
    ) -> Result<LoginResponse, tonic::Status> {
        self.client().login(request).await.map(tonic::Response::into_inner)
    }

    /// How many attempts had a turn in the pool.
    pub(crate) async fn verifications(&self) -> f64 {
        let metrics = self.program.metrics().await;
        let counts = metrics.lines().filter(|line| line.starts_with("hash_queue_seconds_count"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    pub(crate) fn kill(&mut self) {
        self.program.kill();
    }

    pub(crate) async fn stop(self) {
        self.program.stop().await;
    }
}

/// An attempt from the `n`th of many networks, no two of which are near each other.
pub(crate) fn from_elsewhere(name: &str, password: &str, n: u32) -> LoginRequest {
    let mut request = attempt(name, password);
    let address = std::net::Ipv4Addr::from((11 << 24) | (n << 8) | 9);
    request.origin.as_mut().expect("an origin").remote_ip = address.to_string();
    request
}
