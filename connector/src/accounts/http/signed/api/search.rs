//! The search for the accounts of others, for members of certain groups.

use axum::Json;
use axum::extract::Path;
use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::always::Always;
use crate::account::AccountId;
use crate::accounts::http::problem::Problem;
use crate::accounts::http::query::Query;
use crate::accounts::http::signed::caller::Caller;
use crate::accounts::signed::{Searched, Terms};
use crate::store;

/// A part of what was found, in the order of ids.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundAccounts {
    accounts: Vec<FoundAccount>,
    /// Where the next part begins; without it that was all.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// An account of somebody.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundAccount {
    user_id: String,
    username: Option<String>,
    full_name: String,
    email: Option<String>,
    email_verified: bool,
    /// In the form of E.164. Nobody has proved it.
    phone: Option<String>,
    /// Whether it may be used.
    active: bool,
}

/// Accounts with something in their name or their telephone number.
#[utoipa::path(
    get, path = "/users", operation_id = "searchAccounts",
    params(
        ("name" = Option<String>, Query, description = "A part of the name, in either case; three letters or digits in a row at least."),
        ("phone" = Option<String>, Query, description = "A part of the telephone number, three digits at least. Either this or `name`."),
        ("after" = Option<String>, Query, description = "`next` of the answer before."),
    ),
    responses(
        Always,
        (status = 200, description = "The accounts.", body = inline(FoundAccounts)),
        (status = 400, description = "Other parameters than there are, or both of them.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not for this caller.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Too little to look for.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn search(caller: Caller, uri: Uri) -> Result<Json<FoundAccounts>, Problem> {
    let service = caller.service()?;
    service.may_search(&caller.signed).map_err(|refusal| caller.refused(&refusal))?;
    let mut query = Query::read(&uri, &["name", "phone", "after"])?;
    let terms = match (query.take("name"), query.take("phone")) {
        (Some(name), None) => Terms::name(&name),
        (None, Some(phone)) => Terms::phone(&phone),
        (None, None) => return Err(Problem::parameter("name")),
        (Some(_), Some(_)) => return Err(Problem::parameter("phone")),
    };
    let terms = terms.map_err(|refusal| caller.refused(&refusal))?;
    let after = match query.take("after") {
        Some(id) => Some(AccountId::parse(&id).map_err(|_| Problem::parameter("after"))?),
        None => None,
    };
    let found = service.search(&caller.signed, terms, after, &caller.origin()).await;
    let Searched { accounts, next } = found.map_err(|refusal| caller.refused(&refusal))?;
    let accounts = accounts.into_iter().map(FoundAccount::from).collect();
    Ok(Json(FoundAccounts { accounts, next: next.map(|id| id.to_string()) }))
}

/// The account with this id.
#[utoipa::path(
    get, path = "/users/{id}", operation_id = "findAccount",
    params(("id" = String, Path, description = "The id, as tokens of Dex have it.")),
    responses(
        Always,
        (status = 200, description = "The account.", body = inline(FoundAccount)),
        (status = 403, description = "Not for this caller.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is none.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn find(
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<FoundAccount>, Problem> {
    let found = caller.service()?.find(&caller.signed, &id, &caller.origin()).await;
    let found = found.map_err(|refusal| caller.refused(&refusal))?;
    Ok(Json(found.into()))
}

impl From<store::Found> for FoundAccount {
    fn from(found: store::Found) -> Self {
        let store::Found { id, username, full_name, email, email_verified, phone, is_active } =
            found;
        let (user_id, active) = (id.to_string(), is_active);
        Self { user_id, username, full_name, email, email_verified, phone, active }
    }
}
