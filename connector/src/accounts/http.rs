//! HTTP of the accounts pages: the table of routes (with that of [`signed`]), and what all answers bear.

mod answer;
mod api;
mod body;
mod cookie;
mod fields;
mod pages;
mod policy;
mod problem;
mod query;
mod shared;
mod signed;
mod visitor;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use service_process::admin::Readiness;

pub(super) use policy::handing_over;
pub use shared::{Shared, Signing};
pub use signed::AUDIENCE;

use policy::POLICY;
use problem::Problem;

const STYLE: &str = include_str!("../../templates/style.css");

/// Every route there is. Without what the pages share there is health alone.
pub(super) fn router(readiness: Readiness, shared: Option<Arc<Shared>>) -> Router {
    let router = Router::new()
        .route("/accounts/healthz", get(move || std::future::ready(healthz(&readiness))));
    let router = match shared {
        Some(shared) => router.merge(pages(shared)),
        None => router,
    };
    router
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "no-such-path", "No such path") })
        .method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method-not-allowed", "Method not allowed")
        })
}

fn pages(shared: Arc<Shared>) -> Router {
    let api = api::routes(shared.signing.is_some())
        .layer(from_fn_with_state(Arc::clone(&shared), api::limited));
    Router::new()
        .route("/accounts/sign-up", get(pages::sign_up).post(pages::begin_sign_up))
        .route("/accounts/sign-up/finish", get(pages::finish_page).post(pages::finish_sign_up))
        .route("/accounts/invitation", get(pages::invitation).post(pages::accept_invitation))
        .route("/accounts/reset", get(pages::reset).post(pages::begin_reset))
        .route("/accounts/reset/finish", get(pages::finish_page).post(pages::finish_reset))
        .route("/accounts/unlock", get(pages::unlock).post(pages::begin_unlock))
        .route("/accounts/unlock/finish", get(pages::finish_page).post(pages::finish_unlock))
        .route("/accounts/confirm", get(pages::confirm_page).post(pages::confirm))
        .route("/accounts/confirm/resend", post(pages::resend))
        .merge(signed::pages(&shared))
        .layer(from_fn_with_state(Arc::clone(&shared), pages::limited))
        .nest("/accounts/v1", api)
        // The style is the same for everybody, so it alone may be kept.
        .layer(map_response(private))
        .route("/accounts/style.css", get(style))
        .layer(map_response(guarded))
        .with_state(shared)
}

/// `GET /accounts/healthz`, for load balancers: whether the database answers. Details are the admin
/// port's.
fn healthz(readiness: &Readiness) -> (StatusCode, &'static str) {
    if readiness.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

/// For one person: kept by nobody, and another one for each language.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    response
}

async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // One page brings its own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    let set = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        // Under `no-referrer` browsers send forms with `Origin: null`.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    headers.extend(set);
    response
}
