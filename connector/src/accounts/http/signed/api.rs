//! What people do who are signed in, as JSON.

mod account;
mod address;
mod always;
mod history;
mod search;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::accounts::http::shared::Shared;

/// The routes with their description.
pub(in crate::accounts::http) fn routes() -> OpenApiRouter<Arc<Shared>> {
    OpenApiRouter::new()
        .routes(routes!(account::show, account::change, account::close))
        .routes(routes!(account::change_password))
        .routes(routes!(account::sign_out))
        .routes(routes!(address::begin))
        .routes(routes!(address::confirm))
        .routes(routes!(address::undo))
        .routes(routes!(history::activity))
        .routes(routes!(history::networks))
        .routes(routes!(history::forget_network))
        .routes(routes!(search::search))
        .routes(routes!(search::find))
}
