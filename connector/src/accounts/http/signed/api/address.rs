//! Another e-mail address for one's account, and the one before brought back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::always::Always;
use crate::accounts::http::body;
use crate::accounts::http::problem::Problem;
use crate::accounts::http::shared::Shared;
use crate::accounts::http::signed::caller::{Caller, Stranger};
use crate::accounts::refusal::Refusal;
use crate::flow::FlowToken;

/// A new address, and the password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAddress {
    /// Where a code is mailed.
    #[schema(max_length = 254)]
    email: String,
    password: String,
}

/// A change that waits for its code.
#[derive(Serialize, ToSchema)]
pub(super) struct BegunChange {
    /// Goes with the code.
    flow: String,
}

/// The code that was mailed, and the change that it is of.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProvedChange {
    flow: String,
    /// Case, blanks and hyphens do not count.
    code: String,
}

/// A code as it was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UndoneChange {
    /// Case, blanks and hyphens do not count.
    code: String,
}

/// Begins to give the account another address. The answer is the same whether or not somebody has an account there.
#[utoipa::path(
    post, path = "/email", operation_id = "beginEmailChange",
    request_body(content = inline(NewAddress), content_type = "application/json"),
    responses(
        Always,
        (status = 202, description = "A code is mailed, if mail may be sent there.", body = inline(BegunChange)),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not the password, or the account is closed to the network.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is the address of the account.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not an address.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many changes begin.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn begin(
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<BegunChange>), Problem> {
    let NewAddress { email, password } = body::json(request).await?;
    let typed = (email.as_str(), password.into());
    let from = (caller.visitor.language, caller.visitor.network);
    let begun =
        caller.service()?.begin_address_change(&caller.signed, typed, from, &caller.origin()).await;
    let token = begun.map_err(|refusal| caller.refused(&refusal))?;
    Ok((StatusCode::ACCEPTED, Json(BegunChange { flow: token.expose() })))
}

/// Tries a code. With the right one the account has the address, and all its sessions end.
#[utoipa::path(
    post, path = "/email/confirm", operation_id = "confirmEmailChange",
    request_body(content = inline(ProvedChange), content_type = "application/json"),
    responses(
        Always,
        (status = 204, description = "The account has the address, and who was signed in is signed out."),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has an account with the address by now.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the code, or it is good no longer.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn confirm(caller: Caller, request: Request) -> Result<StatusCode, Problem> {
    let ProvedChange { flow, code } = body::json(request).await?;
    let token = FlowToken::parse(&flow).ok_or_else(|| caller.refused(&Refusal::Code.into()))?;
    let done =
        caller.service()?.confirm_address(&caller.signed, &token, &code, &caller.origin()).await;
    done.map_err(|refusal| caller.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings the former address back, by the code that was mailed there. Nobody needs to be signed in. All sessions end, and
/// the password opens nothing until it is reset.
#[utoipa::path(
    post, path = "/email/undo", operation_id = "undoEmailChange",
    request_body(content = inline(UndoneChange), content_type = "application/json"),
    responses(
        (status = 204, description = "The account has the address again; it needs another password."),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not from a script of ours.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has an account with the address by now.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not the code, or it is good no longer.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many flows begin in the network.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn undo(
    State(shared): State<Arc<Shared>>,
    stranger: Stranger,
    request: Request,
) -> Result<StatusCode, Problem> {
    let UndoneChange { code } = body::json(request).await?;
    let visitor = &stranger.visitor;
    let undone = stranger
        .service(&shared)?
        .undo_address_change(&code, visitor.network, &visitor.origin())
        .await;
    undone.map_err(|refusal| stranger.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}
