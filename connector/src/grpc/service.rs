//! The three calls of `PasswordConnector`: `Prompt`, `Login` and `Refresh`.

use std::sync::Arc;

use auth_proto::connector::v1::password_connector_server::PasswordConnector;
use auth_proto::connector::v1::{
    LoginRequest, LoginResponse, PromptRequest, PromptResponse, RefreshRequest, RefreshResponse,
};
use service_process::error_chain::ErrorChain;
use service_process::sources::Sources;
use service_process::telemetry::TRACED;
use service_process::trace_context;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use tracing::field::Empty;
use tracing::{debug, info_span, warn};

use super::observe::{Ended, observed, record_origin};
use super::wire::BrokenField;
use super::{deadline, wire};
use crate::audit::DenialReason;
use crate::login::{Logins, Outcome, Renewals, Unavailable};
use crate::metrics::AUTH_UNAVAILABLE;
use crate::streak::Streak;

/// The span of a call, a child of the caller's. A macro because a span's name is a literal.
macro_rules! span {
    ($name:literal, $call:expr) => {{
        let span = info_span!(
            target: TRACED,
            $name,
            otel.kind = "server",
            otel.status_code = Empty,
            request_id = Empty,
            connector_id = Empty,
            outcome = Empty,
        );
        trace_context::adopt_headers(&span, $call.metadata().as_ref());
        span
    }};
}

/// The service that Dex calls.
#[derive(Debug, Clone)]
pub struct ConnectorService {
    logins: Arc<Logins>,
    renewals: Arc<Renewals>,
    prompt: String,
    sources: Sources,
    /// Whether the database fails.
    failing: Arc<Streak>,
}

impl ConnectorService {
    /// Answers by these, at the times that `sources` tells.
    #[must_use]
    pub fn new(
        logins: Arc<Logins>,
        renewals: Arc<Renewals>,
        prompt: String,
        sources: Sources,
    ) -> Self {
        Self { logins, renewals, prompt, sources, failing: Arc::default() }
    }
}

#[tonic::async_trait]
impl PasswordConnector for ConnectorService {
    async fn prompt(
        &self,
        call: Request<PromptRequest>,
    ) -> Result<Response<PromptResponse>, Status> {
        let span = span!("prompt", call);
        let answer = PromptResponse { prompt: self.prompt.clone() };
        observed("prompt", span, async { Ok((answer, Ended::Ok)) }).await
    }

    async fn login(&self, call: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let span = span!("login", call);
        let deadline = deadline::of(call.metadata(), Instant::now());
        observed("login", span, self.answer_login(call.into_inner(), deadline)).await
    }

    async fn refresh(
        &self,
        call: Request<RefreshRequest>,
    ) -> Result<Response<RefreshResponse>, Status> {
        let span = span!("refresh", call);
        observed("refresh", span, self.answer_refresh(call.into_inner())).await
    }
}

impl ConnectorService {
    async fn answer_login(
        &self,
        request: LoginRequest,
        deadline: Option<Instant>,
    ) -> Result<(LoginResponse, Ended), Status> {
        let attempt = wire::attempt(request, deadline);
        record_origin(&attempt.origin);
        let request_id = attempt.origin.request_id.clone();
        let answer = self.logins.attempt(attempt, (self.sources.now)()).await;
        match answer.map_err(|cause| self.refuse("login", &request_id, &cause))? {
            Outcome::Granted(identity) => {
                self.failing.ends();
                let identity = Some(wire::identity(identity));
                Ok((LoginResponse { valid_password: true, identity }, Ended::Ok))
            }
            Outcome::Refused(_) => Ok((LoginResponse::default(), Ended::Refused)),
            Outcome::Throttled(retry_after) => Err(wire::throttled(retry_after)),
        }
    }

    async fn answer_refresh(
        &self,
        mut request: RefreshRequest,
    ) -> Result<(RefreshResponse, Ended), Status> {
        let origin = wire::origin(request.origin.take());
        record_origin(&origin);
        let request_id = origin.request_id.clone();
        let renewal = wire::renewal(&request, origin).map_err(|broken| {
            let BrokenField { field, reason } = broken;
            warn!(call = "refresh", request_id, field, reason, "a call breaks the contract");
            wire::broken(broken)
        })?;
        let answer = self.renewals.refresh(renewal, (self.sources.now)()).await;
        match answer.map_err(|cause| self.refuse("refresh", &request_id, &cause))? {
            Ok(identity) => {
                self.failing.ends();
                let identity = Some(wire::identity(identity));
                Ok((RefreshResponse { identity }, Ended::Ok))
            }
            // It passes: whoever asks must not take it for the end of the session.
            Err(DenialReason::RevocationPending) => {
                Err(Status::failed_precondition("earlier sessions are yet to end"))
            }
            Err(_) => Err(Status::permission_denied("the account may not go on")),
        }
    }

    /// Counts and tells why nobody could answer. Anybody can have that happen again and again, so of a row of
    /// failures of the database the first is told, and of a lack of processor time, or of callers, none.
    fn refuse(&self, call: &'static str, request_id: &str, cause: &Unavailable) -> Status {
        let missing = match cause {
            Unavailable::Store(_) => "store",
            Unavailable::Saturated(_) => "hashing",
            Unavailable::Abandoned => "caller",
        };
        metrics::counter!(AUTH_UNAVAILABLE, "call" => call, "missing" => missing).increment(1);
        let error = ErrorChain(cause);
        if matches!(cause, Unavailable::Store(_)) && self.failing.fails() {
            warn!(call, request_id, %error, "unavailable");
        } else {
            debug!(call, request_id, %error, "unavailable");
        }
        wire::unavailable(cause)
    }
}
