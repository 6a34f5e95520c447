//! Between messages and domain words.

use std::net::IpAddr;
use std::time::Duration;

use auth_proto::connector::v1;
use secrecy::SecretString;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::account::{AccountId, Identity};
use crate::audit::Origin;
use crate::login::{Attempt, Renewal, Unavailable};

/// After which time it is worth to try again when something is missing.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Longest connector id and request id that are kept, in bytes. Dex makes both, and short.
const MAX_ID_BYTES: usize = 128;

pub(super) fn attempt(
    request: v1::LoginRequest,
    deadline: Option<Instant>,
) -> Result<Attempt, Status> {
    let origin = origin(request.origin)?;
    Ok(Attempt {
        typed_name: SecretString::from(request.username),
        password: SecretString::from(request.password),
        wants_groups: request.scopes.is_some_and(|scopes| scopes.groups),
        origin,
        deadline,
    })
}

pub(super) fn renewal(request: v1::RefreshRequest) -> Result<Renewal, Status> {
    let account = AccountId::parse(&request.user_id)
        .map_err(|error| Status::invalid_argument(format!("user_id: {error}")))?;
    Ok(Renewal {
        account,
        auth_epoch: <[u8; 8]>::try_from(request.connector_data.as_slice())
            .ok()
            .map(i64::from_be_bytes),
        wants_groups: request.scopes.is_some_and(|scopes| scopes.groups),
        of_code: request.of_code,
        origin: origin(request.origin)?,
    })
}

fn origin(origin: Option<v1::Origin>) -> Result<Origin, Status> {
    let v1::Origin { connector_id, remote_ip, request_id } = origin.unwrap_or_default();
    for (field, value) in
        [("origin.connector_id", &connector_id), ("origin.request_id", &request_id)]
    {
        if value.len() > MAX_ID_BYTES || value.contains(char::is_control) {
            return Err(Status::invalid_argument(format!(
                "{field}: must be at most {MAX_ID_BYTES} bytes without control characters"
            )));
        }
    }
    let remote_ip = match remote_ip.as_str() {
        "" => None,
        text => Some(text.parse::<IpAddr>().map_err(|_| {
            Status::invalid_argument("origin.remote_ip: must be an IP address without a port")
        })?),
    };
    Ok(Origin { connector_id, remote_ip, request_id })
}

pub(super) fn identity(identity: Identity) -> v1::Identity {
    let display =
        if identity.full_name.is_empty() { &identity.username } else { &identity.full_name };
    v1::Identity {
        user_id: identity.id.to_string(),
        username: display.clone(),
        preferred_username: identity.username,
        email: identity.email.unwrap_or_default(),
        email_verified: identity.email_verified,
        groups: identity.groups,
        connector_data: identity.auth_epoch.to_be_bytes().to_vec(),
    }
}

/// The cause stays in our log: a peer learns only that it may try again.
pub(super) fn unavailable(cause: &Unavailable) -> Status {
    let message = match cause {
        Unavailable::Store(_) => "the account store does not answer",
        Unavailable::Saturated(_) => "no hashing capacity",
        Unavailable::Abandoned => "given up",
    };
    let details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
    Status::with_error_details(Code::Unavailable, message, details)
}

/// It is the network that is refused, so the answer says nothing about the person.
pub(super) fn throttled(retry_after: Duration) -> Status {
    let details = ErrorDetails::with_retry_info(Some(retry_after));
    let message = "too many attempts from this network";
    Status::with_error_details(Code::ResourceExhausted, message, details)
}
