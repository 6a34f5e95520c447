//! People who are signed in, by tokens as Dex makes them.

use std::net::SocketAddr;

use auth_proto::Message as _;
use auth_proto::dex_api::IdTokenSubject;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use devstack::issuer::Issuer;
use devstack::mail::Mail;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::setup::pages::Pages;

/// The pages, and an issuer whose tokens they take.
pub(crate) struct Signing {
    pub(crate) pages: Pages,
    pub(crate) issuer: Issuer,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Person {
    client: Client,
    base: String,
    pub(crate) headers: HeaderMap,
}

impl Signing {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    /// With these options.
    pub(crate) async fn open_with(options: &[&str]) -> Self {
        let issuer = Issuer::start().await.expect("an issuer");
        let options = [&["--dex-issuer-url", issuer.url()], options].concat();
        Self { pages: Pages::open_with(&options).await, issuer }
    }

    /// With these options, and nobody who sends mail.
    pub(crate) async fn without_mail(options: &[&str]) -> Self {
        let issuer = Issuer::start().await.expect("an issuer");
        let options = [&["--dex-issuer-url", issuer.url()], options].concat();
        Self { pages: Pages::without_mail(&options).await, issuer }
    }

    /// The id of the account with this user name.
    pub(crate) async fn id(&self, name: &str) -> Uuid {
        sqlx::query_scalar("select id from users where username_key = $1 or email_key = $1")
            .bind(name)
            .fetch_one(&self.pages.database.pool)
            .await
            .expect("the account is there")
    }

    /// What Dex says of somebody who signed in so many seconds ago.
    pub(crate) async fn claims(&self, name: &str, ago: i64) -> Value {
        let issued = Utc::now().timestamp() - ago;
        json!({
            "sub": sub(self.id(name).await, "local-postgres"),
            "aud": "accounts",
            "iat": issued,
            "exp": issued + 900,
            "groups": ["forged"],
        })
    }

    /// Somebody with a token of these claims.
    pub(crate) fn with(&self, claims: Value) -> Person {
        let token = self.issuer.sign(claims).expect("a token");
        Person::with(self.pages.address(), &token)
    }

    /// Somebody who signed in a moment ago, and before whatever happens from now on.
    pub(crate) async fn person(&self, name: &str) -> Person {
        self.with(self.claims(name, 1).await)
    }

    /// Somebody who signs in after whatever happened up to now: Dex's clock is a little ahead.
    pub(crate) async fn again(&self, name: &str) -> Person {
        self.with(self.claims(name, -2).await)
    }

    /// Somebody with no token at all, whose script is one of ours.
    pub(crate) fn script(&self) -> Person {
        let mut person = self.with(json!({}));
        person.headers = HeaderMap::new();
        person.headers.insert("origin", HeaderValue::from_static(crate::setup::pages::ORIGIN));
        person.headers.insert("x-session", HeaderValue::from_static("1"));
        person
    }

    /// Changes the database.
    pub(crate) async fn sql(&self, statement: &'static str) {
        let done = sqlx::raw_sql(statement).execute(&self.pages.database.pool).await;
        done.expect("it is done");
    }
}

/// The `sub` of tokens.
pub(crate) fn sub(user: Uuid, connector: &str) -> String {
    let (user_id, conn_id) = (user.to_string(), connector.to_owned());
    URL_SAFE_NO_PAD.encode(IdTokenSubject { user_id, conn_id }.encode_to_vec())
}

/// What a mail says that has the code by which an address is brought back.
pub(crate) const WAY_BACK: &str = "to have this address back";

/// The long code that a mail shows.
pub(crate) fn long_code(mail: &Mail) -> String {
    let mut codes = mail.text.lines().filter(|line| line.len() == 32 && !line.contains(' '));
    codes.next().unwrap_or_else(|| panic!("there is no code in {}", mail.text)).to_owned()
}

impl Person {
    /// Somebody with this token, who calls pages at this address.
    pub(crate) fn with(address: SocketAddr, token: &str) -> Self {
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
        Self {
            client: Client::new(),
            base: format!("http://{address}/accounts/v1"),
            headers: HeaderMap::from_iter([(reqwest::header::AUTHORIZATION, bearer)]),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Option<Value>) -> Answer {
        self.send(Method::DELETE, path, body).await
    }

    /// Replaces a password by another.
    pub(crate) async fn change_password(&self, current: &str, new: &str) -> Answer {
        self.post("/password", json!({"current": current, "new": new})).await
    }

    /// Begins to give the account another address, and yields the flow.
    pub(crate) async fn begin_email(&self, email: &str, password: &str) -> String {
        let begun = self.post("/email", json!({"email": email, "password": password})).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{begun:?}");
        begun.body["flow"].as_str().expect("a flow").to_owned()
    }

    pub(crate) async fn confirm_email(&self, flow: &str, code: &str) -> Answer {
        self.post("/email/confirm", json!({"flow": flow, "code": code})).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, url).headers(self.headers.clone());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await.expect("text");
        let body = if text.is_empty() { Value::Null } else { parsed(&text) };
        Answer { status, headers, body }
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"))
}

impl Answer {
    /// The name of the problem.
    pub(crate) fn problem(&self) -> &str {
        let name = self.body["type"].as_str().unwrap_or_else(|| panic!("no problem: {self:?}"));
        name.strip_prefix("urn:problem-type:accounts:").unwrap_or(name)
    }

    /// Refused as this.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, problem: &str) {
        assert_eq!((self.status.as_u16(), self.problem()), (status, problem), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
    }

    /// Done.
    #[track_caller]
    pub(crate) fn done(&self) {
        assert!(self.status.is_success(), "{self:?}");
    }
}
