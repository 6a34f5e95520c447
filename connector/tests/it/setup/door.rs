//! What stands where Dex's pages are, and answers as Dex does when it can go on, and as it never would. Dex itself is
//! shown with the whole stack.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::form_urlencoded;

/// A login that waits there.
pub(crate) const WAITS: &str = "waitswaitswaitswaitswaits";
/// One that waits no longer.
pub(crate) const GONE: &str = "gonegonegonegonegonegonea";
/// One of which nothing is heard.
pub(crate) const SILENT: &str = "silentsilentsilentsilents";

/// It serves for as long as it lives.
pub(crate) struct Door {
    /// Where browsers find it.
    pub(crate) issuer: String,
    asked: Asked,
    _serving: JoinSet<()>,
}

type Asked = Arc<Mutex<Vec<String>>>;

impl Door {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let issuer = format!("http://{}/dex", listener.local_addr().expect("an address"));
        let asked = Asked::default();
        let router = Router::new()
            .route("/dex/auth/local-postgres", get(begin))
            .route("/dex/auth/local-postgres/login", get(form))
            .with_state(Arc::clone(&asked));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            axum::serve(listener, router).await.expect("it ends with the door");
        });
        Self { issuer, asked, _serving: serving }
    }

    /// The form of the login that waits.
    pub(crate) fn form(&self) -> String {
        format!("{}/auth/local-postgres/login?state={WAITS}", self.issuer)
    }

    /// The apps' requests that came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked with it").clone()
    }
}

fn parameters(query: Option<&str>) -> HashMap<String, String> {
    form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect()
}

/// The form of a login.
async fn form(RawQuery(query): RawQuery) -> Response {
    match parameters(query.as_deref())["state"].as_str() {
        WAITS => "a form".into_response(),
        SILENT => std::future::pending().await,
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// A login for the app `app`; for others what must lead nowhere.
async fn begin(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let client = parameters(Some(&query))["client_id"].clone();
    asked.lock().expect("nobody panicked with it").push(query);
    let back = "back=%2Fdex%2Fauth%3Fa%3Db";
    let location = match client.as_str() {
        "app" => format!("/dex/auth/local-postgres/login?{back}&state={WAITS}"),
        "foreign" => format!("https://evil.example/dex/auth/local-postgres/login?state={WAITS}"),
        "elsewhere" => format!("/dex/auth/mock/login?state={WAITS}"),
        "garbage" => "/dex/auth/local-postgres/login?state=garbage".to_owned(),
        "refused" => format!("https://chat.example/callback?error=x&state={WAITS}"),
        "silent" => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return StatusCode::OK.into_response();
        }
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}
