//! The app of the local stack: one page that has people sign in and sign up, and shows what it is told of them. Until
//! there is a web application it stands where Dex sends people back to.

use std::future::ready;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use clap::Args;
use serde_json::json;
use tokio::net::TcpListener;
use url::Url;

use crate::endpoints::{CLIENT_ID, SCOPES};
use crate::part::{Part, probe};
use crate::program::Program;
use crate::{checkout, http};

const PAGE: &str = include_str!("app_page/page.html");
const SCRIPT: &str = include_str!("app_page/app.js");
const STYLE: &str = include_str!("app_page/app.css");

/// What the page has to know: it is served by a process of its own, as each part of a stack is.
#[derive(Args, Clone, Debug)]
pub(crate) struct AppPage {
    /// Where it listens, on this machine alone
    #[arg(long)]
    pub(crate) port: u16,
    /// Dex's issuer
    #[arg(long)]
    pub(crate) issuer: String,
    /// Where the accounts pages are; without them nobody can sign up
    #[arg(long)]
    pub(crate) accounts: Option<String>,
}

impl AppPage {
    /// Where browsers find it.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}/", self.port)
    }

    /// The part that serves it.
    pub(crate) fn part(&self, state: &Path) -> Result<Part> {
        let mut program = Program::new(checkout::binary("devstack")?).args([
            "app-page",
            "--port",
            &self.port.to_string(),
            "--issuer",
            &self.issuer,
        ]);
        if let Some(accounts) = &self.accounts {
            program = program.args(["--accounts", accounts]);
        }
        let address = self.address();
        let ready = probe(move || {
            let address = address.clone();
            async move { http::answers(&address).await }
        });
        Ok(Part::new("app", program, state, ready))
    }

    /// Serves it until it is told to stop.
    #[expect(clippy::disallowed_methods, reason = "one person's browser asks it")]
    pub(crate) async fn serve(self) -> Result<ExitCode> {
        let listener = TcpListener::bind(("127.0.0.1", self.port))
            .await
            .with_context(|| format!("port {} cannot be listened on", self.port))?;
        axum::serve(listener, self.router()?).await.context("the app is not served any more")?;
        Err(anyhow!("the app is not served any more"))
    }

    fn router(&self) -> Result<Router> {
        let settings = json!({
            "issuer": self.issuer,
            "accounts": self.accounts,
            "clientId": CLIENT_ID,
            "scope": SCOPES,
            "redirectUri": format!("{}auth/callback", self.address()),
        });
        let dex = Url::parse(&self.issuer).context("the issuer is no URL")?;
        let policy = format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {}; form-action 'none'; \
             base-uri 'none'; frame-ancestors 'none'",
            dex.origin().ascii_serialization()
        );
        let policy = HeaderValue::try_from(policy).context("the issuer's origin is no header")?;
        let kind = |kind: &'static str, text: &'static str| async move {
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        };
        Ok(Router::new()
            .route("/", get(async || Html(PAGE)))
            .route("/auth/callback", get(async || Html(PAGE)))
            .route("/settings.json", get(async || Json(settings)))
            .route("/app.js", get(move || kind("text/javascript; charset=utf-8", SCRIPT)))
            .route("/app.css", get(move || kind("text/css; charset=utf-8", STYLE)))
            .layer(map_response(move |response| ready(guarded(response, policy.clone())))))
    }
}

fn guarded(mut response: Response, policy: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The address of the callback has a code in it.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
