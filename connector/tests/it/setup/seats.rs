//! People who sign in to the accounts pages, at an issuer that lets in whom a test names.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use devstack::issuer::{CLIENT_SECRET, Issuer};
use reqwest::header::{ACCEPT_LANGUAGE, COOKIE, HeaderMap, HeaderValue, ORIGIN as FROM};
use reqwest::{Client, Method, StatusCode, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::setup::pages::{ORIGIN, Pages};
use crate::setup::{keys, utf8};

pub(crate) const SESSION: &str = "__Host-Http-accounts";
pub(crate) const FLOW: &str = "__Host-Http-accounts-sign-in";

/// What the forms of the pages of who is signed in lead to, with fields that are not empty.
pub(crate) const FORMS: [(&str, &[&str]); 8] = [
    ("/accounts/profile", &["full_name", "phone"]),
    ("/accounts/password", &["current", "password"]),
    ("/accounts/email", &["email", "password"]),
    ("/accounts/email/confirm", &["flow", "code"]),
    ("/accounts/activity/forget", &["network"]),
    ("/accounts/activity/sign-out", &[]),
    ("/accounts/close", &["password"]),
    ("/accounts/sign-out", &[]),
];

/// The pages with their issuer.
pub(crate) struct Seats {
    pub(crate) pages: Pages,
    pub(crate) issuer: Issuer,
    files: TempDir,
}

/// A browser. It follows nothing by itself.
pub(crate) struct Guest {
    client: Client,
    address: SocketAddr,
    pub(crate) headers: HeaderMap,
    cookies: Mutex<BTreeMap<String, String>>,
}

/// What it shows.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seats {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With these options, and nobody who sends mail.
    pub(crate) async fn open_with(options: &[&str]) -> Self {
        let (issuer, files) = (Issuer::start().await.expect("an issuer"), secret_files());
        let mut all = arguments(&issuer, &files);
        all.extend(options.iter().map(|&option| option.to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let pages = Pages::without_mail(&all).await;
        Self { pages, issuer, files }
    }

    /// The same with somebody who sends mail.
    pub(crate) async fn with_mail() -> Self {
        let (issuer, files) = (Issuer::start().await.expect("an issuer"), secret_files());
        let all = arguments(&issuer, &files);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        Self { pages: Pages::open_with(&all).await, issuer, files }
    }

    /// A file of the test.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).expect("it is written");
        path
    }

    pub(crate) fn guest(&self) -> Guest {
        Guest::at(self.pages.address())
    }

    /// The `sub` of the account with this user name.
    pub(crate) async fn subject(&self, name: &str) -> String {
        let id: String = sqlx::query_scalar("select id::text from users where username_key = $1")
            .bind(name)
            .fetch_one(&self.pages.database.pool)
            .await
            .expect("an account");
        subject(&id, "local-postgres")
    }

    /// Somebody who is signed in.
    pub(crate) async fn signed_in(&self, name: &str) -> Guest {
        let guest = self.guest();
        let subject = self.subject(name).await;
        let landed = self.sign_in(&guest, json!({ "sub": subject })).await;
        assert_eq!(landed.leads_to(), "/accounts/profile");
        guest
    }

    /// From a page to the issuer and back; the issuer lets somebody in with these claims beside those that fit.
    pub(crate) async fn sign_in(&self, guest: &Guest, claims: Value) -> Seen {
        let callback = self.let_in(guest, "/accounts/sign-in", claims).await;
        guest.get(&callback).await
    }

    /// The address of the callback.
    pub(crate) async fn let_in(&self, guest: &Guest, from: &str, claims: Value) -> String {
        let begun = guest.get(from).await;
        let location = Url::parse(begun.leads_to()).expect("an address");
        assert!(location.as_str().starts_with(&format!("{}/auth?", self.issuer.url())));
        let asked: BTreeMap<String, String> = location.query_pairs().into_owned().collect();
        assert_eq!(asked["redirect_uri"], format!("{ORIGIN}/accounts/callback"));
        let now = Utc::now().timestamp();
        let mut fitting =
            json!({ "aud": "accounts", "nonce": asked["nonce"], "iat": now, "exp": now + 900 });
        for (name, value) in claims.as_object().expect("claims") {
            fitting[name] = value.clone();
        }
        let code = devstack::name::random_token(16);
        self.issuer.grant(&code, &asked["code_challenge"], fitting).expect("it signs");
        format!("/accounts/callback?code={code}&state={}", asked["state"])
    }
}

/// As Dex writes it: protobuf, in base64url.
pub(crate) fn subject(id: &str, connector: &str) -> String {
    let field = |tag: u8, text: &str| {
        let length = u8::try_from(text.len()).expect("a short text");
        [&[tag, length][..], text.as_bytes()].concat()
    };
    URL_SAFE_NO_PAD.encode([field(0x0a, id), field(0x12, connector)].concat())
}

fn secret_files() -> TempDir {
    let files = tempfile::tempdir().expect("a directory");
    std::fs::write(files.path().join("client-secret"), CLIENT_SECRET).expect("it is written");
    files
}

fn arguments(issuer: &Issuer, files: &TempDir) -> Vec<String> {
    let secret = files.path().join("client-secret");
    [
        ["--dex-issuer-url", issuer.url()],
        ["--accounts-client-secret-file", utf8(&secret)],
        ["--accounts-session-key-file", utf8(&keys().session_keys)],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

impl Guest {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build();
        let headers = HeaderMap::from_iter([
            (FROM, HeaderValue::from_static(ORIGIN)),
            (ACCEPT_LANGUAGE, HeaderValue::from_static("en")),
        ]);
        let cookies = Mutex::default();
        Self { client: client.expect("a client"), address, headers, cookies }
    }

    /// The value of a cookie that it holds.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().expect("nobody panicked with it").get(name).cloned()
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().expect("nobody panicked with it");
        cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Seen {
        self.send(self.client.get(self.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        self.send(self.client.post(self.url(path)).form(fields)).await
    }

    /// Sends a form of a page, with what that hides in it.
    pub(crate) async fn submit(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Seen {
        let session = self.get(page).await.hidden("session");
        self.post(path, &[&[("session", session.as_str())], fields].concat()).await
    }

    /// A call with JSON of a script of ours.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Seen {
        let request = self.client.request(method, self.url(path)).header("x-session", "1");
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Seen {
        let mut request = request.headers(self.headers.clone());
        let pairs: Vec<String> = {
            let cookies = self.cookies.lock().expect("nobody panicked with it");
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        if !pairs.is_empty() {
            request = request.header(COOKIE, pairs.join("; "));
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        for set in headers.get_all("set-cookie") {
            self.keep(set.to_str().expect("text"));
        }
        Seen { status, headers, body: answer.text().await.expect("text") }
    }

    fn keep(&self, set: &str) {
        let (pair, attributes) = set.split_once("; ").expect("attributes");
        let (name, value) = pair.split_once('=').expect("a pair");
        assert!(name.starts_with("__Host-Http-accounts"), "{set}");
        assert!(attributes.ends_with("Path=/; Secure; HttpOnly; SameSite=Lax"), "{set}");
        let mut cookies = self.cookies.lock().expect("nobody panicked with it");
        if attributes.starts_with("Max-Age=0;") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Seen {
    /// Where it leads.
    pub(crate) fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers["location"].to_str().expect("text")
    }

    /// What its first form hides under this name.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) =
            self.body.split_once(&start).unwrap_or_else(|| panic!("no {name}: {}", self.body));
        rest.split('"').next().expect("a value").to_owned()
    }

    /// Whether it has a form of a session, whatever its status.
    pub(crate) fn is_form(&self) -> bool {
        self.body.contains("name=\"session\"")
    }

    /// Whether it is a page of who is signed in.
    pub(crate) fn is_inside(&self) -> bool {
        self.status == StatusCode::OK && self.is_form()
    }
}
