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
use crate::login::{Attempt, Purpose, Renewal, Unavailable, Who};

/// When a caller may try again if something is missing.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Longest connector id and request id that are kept, in bytes. Dex makes both, and short.
const MAX_ID_BYTES: usize = 128;

/// A field that breaks the contract. Its value is not repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct BrokenField {
    pub(super) field: &'static str,
    pub(super) reason: &'static str,
}

pub(super) fn attempt(request: v1::LoginRequest, deadline: Option<Instant>) -> Attempt {
    Attempt {
        who: Who::Typed(SecretString::from(request.username)),
        password: SecretString::from(request.password),
        purpose: Purpose::SignIn {
            wants_groups: request.scopes.is_some_and(|scopes| scopes.groups),
        },
        origin: origin(request.origin),
        deadline,
    }
}

pub(super) fn renewal(
    request: &v1::RefreshRequest,
    origin: Origin,
) -> Result<Renewal, BrokenField> {
    let account = AccountId::parse(&request.user_id).map_err(|_| BrokenField {
        field: "user_id",
        reason: "must be a UUID in lower case with hyphens",
    })?;
    Ok(Renewal {
        account,
        auth_epoch: <[u8; 8]>::try_from(request.connector_data.as_slice())
            .ok()
            .map(i64::from_be_bytes),
        wants_groups: request.scopes.is_some_and(|scopes| scopes.groups),
        of_code: request.of_code,
        origin,
    })
}

/// Where a call comes from. Each of these is a hint: one that cannot be used counts as absent, and
/// is never a reason to turn a person away.
pub(super) fn origin(origin: Option<v1::Origin>) -> Origin {
    let v1::Origin { connector_id, remote_ip, request_id } = origin.unwrap_or_default();
    // The zone of a scoped address (RFC 4007 §11) says which interface of Dex it came in by.
    let address = remote_ip.split_once('%').map_or(remote_ip.as_str(), |(address, _)| address);
    Origin {
        connector_id: usable(connector_id),
        remote_ip: address.parse::<IpAddr>().ok(),
        request_id: usable(request_id),
    }
}

/// The id if it can be written down: short, on one line.
fn usable(id: String) -> String {
    if id.len() > MAX_ID_BYTES || id.contains(char::is_control) { String::new() } else { id }
}

/// The caller's fault, not the person's.
pub(super) fn broken(BrokenField { field, reason }: BrokenField) -> Status {
    Status::invalid_argument(format!("{field}: {reason}"))
}

pub(super) fn identity(identity: Identity) -> v1::Identity {
    let username = identity.username.unwrap_or_default();
    v1::Identity {
        user_id: identity.id.to_string(),
        username: if identity.full_name.is_empty() { username.clone() } else { identity.full_name },
        preferred_username: username,
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
