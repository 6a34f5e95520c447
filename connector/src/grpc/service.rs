//! The three calls.

use std::sync::Arc;

use auth_proto::connector::v1::password_connector_server::PasswordConnector;
use auth_proto::connector::v1::{
    LoginRequest, LoginResponse, PromptRequest, PromptResponse, RefreshRequest, RefreshResponse,
};
use chrono::{DateTime, Utc};
use tonic::{Request, Response, Status};
use tracing::warn;

use super::wire;
use crate::login::{Causes, Logins, Outcome, Unavailable};

/// Answers Dex.
#[derive(Debug, Clone)]
pub struct ConnectorService {
    logins: Arc<Logins>,
    prompt: String,
    clock: fn() -> DateTime<Utc>,
}

impl ConnectorService {
    /// Answers by these logins, at the times that `clock` tells.
    #[must_use]
    pub fn new(logins: Arc<Logins>, prompt: String, clock: fn() -> DateTime<Utc>) -> Self {
        Self { logins, prompt, clock }
    }
}

#[tonic::async_trait]
impl PasswordConnector for ConnectorService {
    async fn prompt(&self, _: Request<PromptRequest>) -> Result<Response<PromptResponse>, Status> {
        Ok(Response::new(PromptResponse { prompt: self.prompt.clone() }))
    }

    async fn login(&self, call: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let attempt = wire::attempt(call.into_inner())?;
        let request_id = attempt.origin.request_id.clone();
        let answer = self.logins.attempt(attempt, (self.clock)()).await;
        match answer.map_err(|cause| refuse("login", &request_id, &cause))? {
            Outcome::Granted(identity) => Ok(Response::new(LoginResponse {
                valid_password: true,
                identity: Some(wire::identity(identity)),
            })),
            Outcome::Refused(_) => Ok(Response::new(LoginResponse::default())),
        }
    }

    async fn refresh(
        &self,
        call: Request<RefreshRequest>,
    ) -> Result<Response<RefreshResponse>, Status> {
        let renewal = wire::renewal(call.into_inner())?;
        let request_id = renewal.origin.request_id.clone();
        let answer = self.logins.refresh(renewal, (self.clock)()).await;
        match answer.map_err(|cause| refuse("refresh", &request_id, &cause))? {
            Ok(identity) => {
                Ok(Response::new(RefreshResponse { identity: Some(wire::identity(identity)) }))
            }
            Err(_) => Err(Status::permission_denied("the account may not go on")),
        }
    }
}

fn refuse(call: &'static str, request_id: &str, cause: &Unavailable) -> Status {
    let missing = match cause {
        Unavailable::Store(_) => "store",
        Unavailable::Saturated(_) => "hashing",
    };
    metrics::counter!("auth_unavailable_total", "call" => call, "missing" => missing).increment(1);
    warn!(call, request_id, error = %Causes(cause), "unavailable");
    wire::unavailable(cause)
}
