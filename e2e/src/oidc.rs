//! An app that has people sign in at Dex: authorization code with PKCE, refresh, userinfo.

use std::fmt;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use devstack::endpoints::{CLIENT_ID, Endpoints, SCOPES};
use reqwest::{Client, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::browser::Browser;
use crate::wait::{HANG, until};

/// The way to a Local Account on Dex's page.
pub const LOCAL_ACCOUNTS: &str = "Local Accounts";
/// The way to Dex's own list of people.
pub const EMAIL: &str = "Email";

/// A public client of Dex.
#[derive(Clone, Debug)]
pub struct App {
    /// Its id at Dex.
    pub client_id: String,
    /// What it asks for.
    pub scopes: String,
    /// Where it wants people back.
    pub redirect_uri: String,
    provider: Provider,
    http: Client,
}

/// What discovery tells (OIDC Discovery 1.0, section 3).
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "named and described by the specification")]
pub struct Provider {
    pub issuer: String,
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    pub userinfo_endpoint: Url,
    pub jwks_uri: Url,
}

/// One authorization request, with what only the app knows of it.
#[derive(Debug)]
pub struct Request {
    /// Where the browser goes.
    pub url: Url,
    /// What proves to Dex that whoever brings the code made this request (RFC 7636).
    pub verifier: SecretString,
    state: String,
    nonce: String,
}

/// What a person's sign-in yields.
#[derive(Debug)]
pub struct Tokens {
    /// The access token, for the chat API.
    pub access: Token,
    /// The ID token, for the app itself.
    pub id: Token,
    /// The refresh token, when `offline_access` was asked for.
    pub refresh: Option<SecretString>,
}

/// A signed token. Never shown as a whole.
#[derive(Clone)]
pub struct Token(SecretString);

/// Dex's refusal at the token endpoint (RFC 6749, section 5.2).
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The body: `error` and `error_description`.
    pub body: Value,
}

/// Tokens or a refusal; everything else is an error.
pub type Answer = Result<Tokens, Refusal>;

impl App {
    /// The SPA: `chat-app-frontend` with all its scopes.
    pub async fn spa(endpoints: &Endpoints) -> Result<Self> {
        Self::discover(endpoints, CLIENT_ID, SCOPES).await
    }

    /// A client of this Dex.
    pub async fn discover(endpoints: &Endpoints, client_id: &str, scopes: &str) -> Result<Self> {
        // No idle connections: each test has a runtime of its own, which ends with them.
        let http = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(HANG)
            .build()
            .context("no HTTP client")?;
        let issuer = &endpoints.dex_issuer;
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        let provider: Provider =
            http.get(discovery).send().await?.error_for_status()?.json().await?;
        ensure!(provider.issuer == *issuer, "Dex calls itself {}", provider.issuer);
        Ok(Self {
            client_id: client_id.to_owned(),
            scopes: scopes.to_owned(),
            redirect_uri: endpoints.redirect_uri.clone(),
            provider,
            http,
        })
    }

    /// The same app, asking for something else.
    #[must_use]
    pub fn asking_for(&self, scopes: &str) -> Self {
        Self { scopes: scopes.to_owned(), ..self.clone() }
    }

    /// What Dex tells about itself.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// A browser on its way back to this app.
    pub fn browser(&self) -> Result<Browser> {
        Browser::new(&self.redirect_uri)
    }

    /// The same, calling from a network of its own.
    pub fn browser_at(&self, home: Ipv4Addr) -> Result<Browser> {
        Browser::at_home(&self.redirect_uri, home)
    }

    /// A new authorization request.
    #[must_use]
    pub fn request(&self) -> Request {
        let [verifier, state, nonce] = std::array::from_fn(|_| random());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut url = self.provider.authorization_endpoint.clone();
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", &self.scopes)
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Request { url, verifier: verifier.into(), state, nonce }
    }

    /// The whole way: request, page, form, code, tokens.
    pub async fn sign_in(&self, choice: &str, login: &str, password: &str) -> Result<Tokens> {
        self.sign_in_with(&self.browser()?, choice, login, password).await
    }

    /// The same with a browser that is there already.
    pub async fn sign_in_with(
        &self,
        browser: &Browser,
        choice: &str,
        login: &str,
        password: &str,
    ) -> Result<Tokens> {
        let request = self.request();
        let seen = browser.sign_in(&request.url, choice, login, password).await?;
        let code = request.code(&seen.callback()?)?;
        let answer = self.exchange(&code, request.verifier.expose_secret()).await?;
        let tokens = answer.map_err(Refusal::into_error)?;
        self.check(&tokens, &request)?;
        Ok(tokens)
    }

    /// Exchanges a code for tokens.
    pub async fn exchange(&self, code: &str, verifier: &str) -> Result<Answer> {
        self.ask_token(&[
            ("grant_type", "authorization_code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("code", code),
            ("code_verifier", verifier),
        ])
        .await
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn refresh(&self, tokens: &Tokens) -> Result<Answer> {
        let refresh = tokens.refresh.as_ref().context("there is no refresh token")?;
        self.ask_token(&[
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("refresh_token", refresh.expose_secret()),
        ])
        .await
    }

    /// Exchanges a refresh token until it rotates: Dex gives the same one for as long as it may be
    /// reused (`reuseInterval`, 3 s after it was issued or used). A refusal is an error at once.
    pub async fn rotate(&self, tokens: &Tokens) -> Result<Tokens> {
        let secret = |tokens: &Tokens| {
            tokens.refresh.as_ref().map(|refresh| refresh.expose_secret().to_owned())
        };
        let answer = until("the refresh token rotates", async || {
            let answer = self.refresh(tokens).await?;
            let same = |renewed: &Tokens| secret(renewed) == secret(tokens);
            ensure!(!answer.as_ref().is_ok_and(same), "it is still the same");
            Ok(answer)
        });
        answer.await?.map_err(Refusal::into_error)
    }

    /// Who the token's person is, as Dex tells it.
    pub async fn userinfo(&self, token: &Token) -> Result<Value> {
        let request = self.http.get(self.provider.userinfo_endpoint.clone());
        let response = request.bearer_auth(token.expose()).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    /// Dex's public keys.
    pub async fn keys(&self) -> Result<Value> {
        let response = self.http.get(self.provider.jwks_uri.clone()).send().await?;
        Ok(response.error_for_status()?.json().await?)
    }

    async fn ask_token(&self, form: &[(&str, &str)]) -> Result<Answer> {
        #[derive(Deserialize)]
        struct Granted {
            #[serde(rename = "access_token")]
            access: String,
            #[serde(rename = "id_token")]
            id: String,
            #[serde(rename = "refresh_token")]
            refresh: Option<String>,
        }
        let request = self.http.post(self.provider.token_endpoint.clone()).form(form);
        let response = request.send().await?;
        let status = response.status();
        if status != StatusCode::OK {
            let text = response.text().await?;
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            return Ok(Err(Refusal { status, body }));
        }
        let granted: Granted = response.json().await?;
        Ok(Ok(Tokens {
            access: Token::new(granted.access),
            id: Token::new(granted.id),
            refresh: granted.refresh.map(Into::into),
        }))
    }

    /// The checks of an app that speaks to Dex directly (OIDC Core 1.0, section 3.1.3.7).
    fn check(&self, tokens: &Tokens, request: &Request) -> Result<()> {
        let claims = tokens.id.claims()?;
        let audience = &claims["aud"];
        let ours = |value: &Value| value == self.client_id.as_str();
        let for_us = ours(audience) || audience.as_array().is_some_and(|all| all.iter().any(ours));
        ensure!(claims["iss"] == self.provider.issuer.as_str(), "iss is {}", claims["iss"]);
        ensure!(for_us, "aud is {audience}");
        ensure!(claims["nonce"] == request.nonce.as_str(), "nonce is {}", claims["nonce"]);
        Ok(())
    }
}

impl Request {
    /// The code in what Dex sent to the callback.
    pub fn code(&self, callback: &Url) -> Result<String> {
        let value = |name| {
            callback.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        ensure!(value("state").as_ref() == Some(&self.state), "the callback has another state");
        value("code").with_context(|| format!("no code but the error {:?}", value("error")))
    }
}

impl Token {
    /// A token as it came.
    #[must_use]
    pub fn new(raw: String) -> Self {
        Self(raw.into())
    }

    /// The token itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What it says, without a look at its signature.
    pub fn claims(&self) -> Result<Value> {
        let body = self.expose().split('.').nth(1).context("a token has three parts")?;
        let body = URL_SAFE_NO_PAD.decode(body).context("a token's part is base64url")?;
        serde_json::from_slice(&body).context("a token's claims are JSON")
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

impl Refusal {
    /// The refusal as an error, for those who count on tokens.
    #[must_use]
    pub fn into_error(self) -> anyhow::Error {
        anyhow::anyhow!("Dex gives no tokens ({}): {}", self.status, self.body)
    }
}

/// 256 random bits as base64url: 43 characters, what RFC 7636 asks of a verifier.
fn random() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}
