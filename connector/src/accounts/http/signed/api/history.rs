//! What happened to one's account, and where from it is known.

use axum::Json;
use axum::extract::Path;
use axum::http::{StatusCode, Uri};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::always::Always;
use crate::accounts::http::problem::Problem;
use crate::accounts::http::query::Query;
use crate::accounts::http::signed::caller::Caller;
use crate::accounts::signed::{Activity, Cursor};

/// A part of what happened, the last first.
#[derive(Serialize, ToSchema)]
pub(super) struct History {
    events: Vec<Happened>,
    /// Where what happened before begins; without it that was all.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct Happened {
    at: DateTime<Utc>,
    /// Its name in the trail, such as `login.ok`.
    event: String,
    /// The address that it came from.
    remote_ip: Option<String>,
    /// How many of its kind the line stands for.
    count: i32,
}

/// The networks from which the account is known, the last used first.
#[derive(Serialize, ToSchema)]
pub(super) struct KnownNetworks {
    networks: Vec<KnownNetwork>,
}

/// A network from which the account is known.
#[derive(Serialize, ToSchema)]
struct KnownNetwork {
    /// Its first address: what it is forgotten by.
    address: String,
    /// The network.
    network: String,
    last_sign_in_at: DateTime<Utc>,
}

/// What happened to the account: sign-ins, refused ones, and what changed who can get in.
#[utoipa::path(
    get, path = "/activity", operation_id = "showActivity",
    params(("before" = Option<String>, Query, description = "`next` of the answer before.")),
    responses(
        Always,
        (status = 200, description = "What happened, the last first.", body = inline(History)),
        (status = 400, description = "Another parameter than there is, or none that was given out.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn activity(caller: Caller, uri: Uri) -> Result<Json<History>, Problem> {
    let mut query = Query::read(&uri, &["before"])?;
    let before = match query.take("before") {
        Some(text) => Some(Cursor::parse(&text).ok_or_else(|| Problem::parameter("before"))?),
        None => None,
    };
    let shown = caller.service()?.activity(&caller.signed, before).await;
    let Activity { lines, next } = shown.map_err(|refusal| caller.refused(&refusal))?;
    let events = lines.into_iter().map(|line| Happened {
        at: line.at,
        event: line.event,
        remote_ip: line.remote_ip,
        count: line.count,
    });
    Ok(Json(History { events: events.collect(), next: next.map(|next| next.expose()) }))
}

/// The networks from which the account is known: who comes from there is let in when strangers are not.
#[utoipa::path(
    get, path = "/networks", operation_id = "showNetworks",
    responses(
        Always,
        (status = 200, description = "The networks, the last used first.", body = inline(KnownNetworks)),
    ),
)]
pub(super) async fn networks(caller: Caller) -> Result<Json<KnownNetworks>, Problem> {
    let known = caller.service()?.networks(&caller.signed).await;
    let known = known.map_err(|refusal| caller.refused(&refusal))?;
    let networks = known.into_iter().map(|known| KnownNetwork {
        address: known.network.split('/').next().unwrap_or_default().to_owned(),
        network: known.network,
        last_sign_in_at: known.last_success_at,
    });
    Ok(Json(KnownNetworks { networks: networks.collect() }))
}

/// Forgets a network, by an address in it.
#[utoipa::path(
    delete, path = "/networks/{address}", operation_id = "forgetNetwork",
    params(("address" = String, Path, description = "An address in the network.")),
    responses(
        Always,
        (status = 204, description = "It is forgotten."),
        (status = 404, description = "The account is not known from there.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn forget_network(
    caller: Caller,
    Path(address): Path<String>,
) -> Result<StatusCode, Problem> {
    let done = caller.service()?.forget_network(&caller.signed, &address, &caller.origin()).await;
    done.map_err(|refusal| caller.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}
