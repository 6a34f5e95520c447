//! Who is signed in, by a token or by the cookie of the pages, and what is done for them: calls, pages and the way in.

mod answers;
pub(super) mod api;
mod caller;
mod forms;
mod member;
mod page;
mod page_words;
mod pages;
mod refusals;
mod session;
mod sign_in;
mod told;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use caller::AUDIENCE;

use super::shared::Shared;

/// The pages of who is signed in, where people can sign in.
pub(super) fn pages(shared: &Shared) -> Router<Arc<Shared>> {
    if member::seats(shared).is_none() {
        return Router::new();
    }
    Router::new()
        .route("/accounts", get(pages::first))
        .route("/accounts/sign-in", get(sign_in::begin))
        .route("/accounts/callback", get(sign_in::callback))
        .route("/accounts/sign-out", post(sign_in::end))
        .route("/accounts/profile", get(pages::profile).post(pages::change_profile))
        .route("/accounts/password", get(pages::password).post(pages::change_password))
        .route("/accounts/email", get(pages::email).post(pages::change_email))
        .route("/accounts/email/confirm", get(pages::email_code).post(pages::confirm_email))
        .route("/accounts/activity", get(pages::activity))
        .route("/accounts/activity/forget", post(pages::forget_network))
        .route("/accounts/activity/sign-out", post(pages::sign_out_everywhere))
        .route("/accounts/close", get(pages::close).post(pages::close_account))
        .route("/accounts/undo", get(pages::undo).post(pages::undo_email))
}
