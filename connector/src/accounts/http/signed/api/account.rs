//! One's own account: what it says, its password, its sessions, its end.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::always::Always;
use crate::account::PhoneChange;
use crate::accounts::http::body;
use crate::accounts::http::problem::Problem;
use crate::accounts::http::signed::caller::Caller;
use crate::store::Profile;

/// An account as its owner sees it.
#[derive(Serialize, ToSchema)]
pub(super) struct Account {
    user_id: String,
    username: Option<String>,
    full_name: String,
    email: Option<String>,
    email_verified: bool,
    /// In the form of E.164.
    phone: Option<String>,
    /// Always `false`: nobody has proved the number.
    phone_verified: bool,
    groups: Vec<String>,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Changes {
    #[schema(max_length = 254, nullable = false)]
    #[serde(default, deserialize_with = "text")]
    full_name: Option<String>,
    /// In the form of E.164, such as `+493012345678`; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    phone: PhoneChange<String>,
}

/// The password there is, and the one that replaces it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Passwords {
    current: String,
    new: String,
}

/// The password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OwnPassword {
    password: String,
}

/// The account of who is signed in.
#[utoipa::path(
    get, path = "/me", operation_id = "showAccount",
    responses(
        Always,
        (status = 200, description = "The account.", body = inline(Account)),
    ),
)]
pub(super) async fn show(caller: Caller) -> Result<Json<Account>, Problem> {
    let profile = caller.service()?.profile(&caller.signed).await;
    let profile = profile.map_err(|refusal| caller.refused(&refusal))?;
    Ok(Json(account(&caller, profile)))
}

/// Changes the name, the telephone number or both.
#[utoipa::path(
    patch, path = "/me", operation_id = "changeAccount",
    request_body(content = inline(Changes), content_type = "application/json"),
    responses(
        Always,
        (status = 200, description = "The account as it is now.", body = inline(Account)),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a name, or not a telephone number.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(caller: Caller, request: Request) -> Result<Json<Account>, Problem> {
    let Changes { full_name, phone } = body::json(request).await?;
    let typed = (full_name.as_deref(), phone);
    let changed = caller.service()?.change_profile(&caller.signed, typed, &caller.origin()).await;
    let profile = changed.map_err(|refusal| caller.refused(&refusal))?;
    Ok(Json(account(&caller, profile)))
}

/// Deletes the account and ends its sessions.
#[utoipa::path(
    delete, path = "/me", operation_id = "closeAccount",
    request_body(content = inline(OwnPassword), content_type = "application/json"),
    responses(
        Always,
        (status = 204, description = "The account is gone."),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not the password, or the account is closed to the network.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many passwords are tried in the network.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn close(caller: Caller, request: Request) -> Result<StatusCode, Problem> {
    let OwnPassword { password } = body::json(request).await?;
    let closed = caller.service()?.close(&caller.signed, password.into(), &caller.origin()).await;
    closed.map_err(|refusal| caller.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the password; all sessions of the account end.
#[utoipa::path(
    post, path = "/password", operation_id = "changePassword",
    request_body(content = inline(Passwords), content_type = "application/json"),
    responses(
        Always,
        (status = 204, description = "The password is changed, and who was signed in is signed out."),
        (status = 400, description = "Other fields than there are.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not the password, or the account is closed to the network.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The new password is not taken.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many passwords are tried in the network.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change_password(
    caller: Caller,
    request: Request,
) -> Result<StatusCode, Problem> {
    let Passwords { current, new } = body::json(request).await?;
    let passwords = (current.into(), new.into());
    let changed =
        caller.service()?.change_password(&caller.signed, passwords, &caller.origin()).await;
    changed.map_err(|refusal| caller.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of the account, also this one.
#[utoipa::path(
    post, path = "/sign-out", operation_id = "signOutEverywhere",
    responses(
        Always,
        (status = 204, description = "Who was signed in is signed out."),
    ),
)]
pub(super) async fn sign_out(caller: Caller) -> Result<StatusCode, Problem> {
    let done = caller.service()?.sign_out(&caller.signed, &caller.origin()).await;
    done.map_err(|refusal| caller.refused(&refusal))?;
    Ok(StatusCode::NO_CONTENT)
}

fn account(caller: &Caller, profile: Profile) -> Account {
    let Profile { username, full_name, email, email_verified, phone, groups } = profile;
    let user_id = caller.signed.account.to_string();
    Account {
        user_id,
        username,
        full_name,
        email,
        email_verified,
        phone,
        phone_verified: false,
        groups,
    }
}

/// A field that is there, `null` or not.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<PhoneChange<String>, D::Error> {
    let typed = Option::deserialize(field)?;
    Ok(typed.map_or(PhoneChange::Goes, PhoneChange::Is))
}

/// A field that is there, and not `null`.
fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    String::deserialize(field).map(Some)
}
