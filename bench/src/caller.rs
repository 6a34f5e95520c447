//! Calls the service as Dex does.

use std::net::Ipv4Addr;
use std::time::Duration;

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{LoginRequest, LoginResponse, Origin, PromptRequest};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::line::Line;

/// How long Dex waits for a login.
const DEADLINE: Duration = Duration::from_secs(8);

/// One attempt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) password: String,
    /// Empty when nobody knows it.
    pub(crate) address: String,
    /// Dex's id of the request, which stands in the trail.
    pub(crate) request_id: String,
}

impl Attempt {
    pub(crate) fn new(name: &str, password: &str, address: String) -> Self {
        let (name, password) = (name.to_owned(), password.to_owned());
        Self { name, password, address, request_id: String::new() }
    }

    /// Sends the attempt; tells whether it was let in.
    pub(crate) async fn send(self, line: &Line) -> Result<bool, Status> {
        let Self { name, password, address, request_id } = self;
        let origin =
            Origin { connector_id: "local-postgres".to_owned(), remote_ip: address, request_id };
        let (scopes, origin) = (None, Some(origin));
        let mut call = Request::new(LoginRequest { username: name, password, scopes, origin });
        call.set_timeout(DEADLINE);
        let answer =
            PasswordConnectorClient::new(line.channel().await?).login(call).await?.into_inner();
        // What a refusal says must be the same for all.
        let refused = answer == LoginResponse::default();
        if answer.valid_password == refused {
            return Err(Status::internal("a refusal that is not like all others"));
        }
        Ok(answer.valid_password)
    }
}

/// Asks for the label of the name field.
pub(crate) async fn prompt(line: &Line) -> Result<(), Status> {
    PasswordConnectorClient::new(line.channel().await?).prompt(PromptRequest {}).await.map(drop)
}

/// Asks for gRPC's health.
pub(crate) async fn health(line: &Line) -> Result<(), Status> {
    HealthClient::new(line.channel().await?).check(HealthCheckRequest::default()).await.map(drop)
}

/// The address of the `n`th of 13 million networks, each in a coarse network of its own.
pub(crate) fn address(n: u32) -> String {
    // From 11.0.0.9 on, so that none is private or in a block of documentation.
    Ipv4Addr::from_bits((11 << 24) + (n << 8) + 9).to_string()
}

/// Gives numbers for [`address`], each once.
#[derive(Debug, Default)]
pub(crate) struct Networks(std::sync::atomic::AtomicU32);

impl Networks {
    pub(crate) fn next(&self) -> String {
        address(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
    }
}
