//! `/v1/users`.

mod query;

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{Directory, ListedPerson, ReadError};
use crate::auth::Caller;
use crate::http::problem::Problem;
use crate::service::Service;
use query::{UsersQuery, Wanted};

/// A person, as others see them.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// Who it is: the subject of that person's tokens.
    user_id: String,
    /// The name to show.
    user_name: String,
}

/// Looks for people.
#[utoipa::path(
    get, path = "/users", operation_id = "getUsers", tag = "users",
    summary = "Look for people",
    description = "Returns people by the beginning of a word of their name, by their whole e-mail address, or by their ids.",
    security(("bearerAuth" = [])),
    params(
        ("q" = Option<String>, Query, min_length = 1, max_length = 254, description = "The beginning of any word of the name, without regard to case and accents; with an `@` a whole e-mail address, which the issuer has verified. Either this or `ids`."),
        ("ids" = Option<String>, Query, description = "At most 100 ids, separated by commas. Who is not known is left out."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 50, description = "With `q`: at most so many people; 20 if left out."),
    ),
    responses(
        (status = 200, description = "The people.", body = Vec<User>),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "People cannot be looked for at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<User>>, Problem> {
    let wanted = UsersQuery::parse(query.as_deref().unwrap_or_default())?.wanted;
    let reader = service.reads.admit(&caller.author.user_id)?;
    let directory = Directory::of(&reader);
    let found = match &wanted {
        Wanted::Named { prefix, limit } => directory.by_name(prefix, *limit).await,
        Wanted::Addressed { email, limit } => directory.by_email(email, *limit).await,
        Wanted::Known(ids) => directory.by_id(ids).await,
    };
    let mut found = found.map_err(unavailable)?;
    if let Wanted::Known(ids) = &wanted {
        found.sort_by_key(|person| ids.iter().position(|id| *id == person.id));
    }
    Ok(Json(found.into_iter().map(User::from).collect()))
}

/// Tells whose the token is.
#[utoipa::path(
    get, path = "/users/me", operation_id = "getMe", tag = "users",
    summary = "Retrieve oneself",
    description = "Returns the person whose token this is, as the token says.",
    security(("bearerAuth" = [])),
    responses(
        (status = 200, description = "The person.", body = User),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The token cannot be checked now.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn me(caller: Caller) -> Json<User> {
    let (user_id, user_name) = (caller.author.user_id.into(), caller.author.user_name.into());
    Json(User { user_id, user_name })
}

impl From<ListedPerson> for User {
    fn from(ListedPerson { id, name }: ListedPerson) -> Self {
        Self { user_id: id.into(), user_name: name.into() }
    }
}

fn unavailable(error: ReadError) -> Problem {
    match error {
        ReadError::Archive(error) => {
            tracing::warn!(%error, "people cannot be looked for");
            Problem::people_unavailable()
        }
        error @ (ReadError::TooFast | ReadError::Busy) => error.into(),
    }
}
