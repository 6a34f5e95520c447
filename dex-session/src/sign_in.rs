//! The way to Dex and back.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::sources::Sources;
use thiserror::Error;
use url::{Url, form_urlencoded};

use crate::error::SignInError;
use crate::flow::{FLOW_LIFE, Flow, ReturnPath};
use crate::http::{DexError, Http};
use crate::seal::Sealer;

/// How far Dex's clock may be ahead of ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The longest query that Dex comes back with: a code and a state have 25 to 60 characters each.
const MAX_QUERY_BYTES: usize = 4096;

/// A client at Dex, as Dex's configuration has it.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Dex's issuer, exactly as tokens and discovery name it.
    pub issuer: String,
    /// Where Dex is reached from here, if not at its own address: the base address, or that of the discovery document.
    pub discovery: Option<String>,
    /// The client's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// Where browsers come back to.
    pub redirect_uri: String,
}

/// Settings with which nobody could be signed in.
#[derive(Debug, Error)]
pub enum InvalidClient {
    /// The issuer is no address of http or https.
    #[error("the issuer must be an http(s) address without user, query and fragment")]
    Issuer,
    /// Neither is the discovery address.
    #[error("the discovery address must be an http(s) address without user, query and fragment")]
    Discovery,
    /// Neither is the redirect address.
    #[error("the redirect address must be an http(s) address without user, query and fragment")]
    RedirectUri,
    /// The client has no id.
    #[error("the client id must not be empty")]
    ClientId,
    /// The client has no secret.
    #[error("the client secret must not be empty")]
    ClientSecret,
    /// The HTTP client cannot be set up (TLS roots).
    #[error("the HTTP client for Dex cannot be set up")]
    Http(#[source] reqwest::Error),
}

/// Signs people in at Dex, for one client.
pub struct SignIn {
    http: Http,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    redirect_uri: RedirectUrl,
    sealer: Sealer,
    /// What Dex says of itself. Its addresses follow from its issuer, so they are asked for once.
    metadata: OnceLock<CoreProviderMetadata>,
}

/// A sign-in that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Where the browser goes.
    pub location: Url,
    /// What it keeps meanwhile, for [`FLOW_LIFE`], and brings back.
    pub cookie: String,
}

/// Somebody who was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// `sub`: the stable id of the person at Dex.
    pub subject: String,
    /// `iat`: when Dex let the person in, by Dex's clock, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// Where the browser goes.
    pub return_to: ReturnPath,
}

impl SignIn {
    /// Checks the settings. Dex is not asked before somebody signs in.
    pub fn new(settings: ClientSettings, sealer: Sealer) -> Result<Self, InvalidClient> {
        let ClientSettings { issuer, discovery, client_id, client_secret, redirect_uri } = settings;
        let issuer_url = http_url(&issuer).ok_or(InvalidClient::Issuer)?;
        let discovery = discovery.map(|url| http_url(&url).ok_or(InvalidClient::Discovery));
        http_url(&redirect_uri).ok_or(InvalidClient::RedirectUri)?;
        if client_id.is_empty() {
            return Err(InvalidClient::ClientId);
        }
        if client_secret.expose_secret().is_empty() {
            return Err(InvalidClient::ClientSecret);
        }
        Ok(Self {
            http: Http::new(issuer_url, discovery.transpose()?).map_err(InvalidClient::Http)?,
            issuer: IssuerUrl::new(issuer).map_err(|_| InvalidClient::Issuer)?,
            client_id: ClientId::new(client_id),
            client_secret: ClientSecret::new(client_secret.expose_secret().to_owned()),
            redirect_uri: RedirectUrl::new(redirect_uri).map_err(|_| InvalidClient::RedirectUri)?,
            sealer,
            metadata: OnceLock::new(),
        })
    }

    /// Dex's issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client's id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What it seals with.
    #[must_use]
    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Begins a sign-in that ends at a path of ours.
    pub async fn begin(&self, return_to: ReturnPath, sources: Sources) -> Result<Begun, DexError> {
        let flow = Flow::new(return_to, sources);
        let metadata = self.metadata().await?.clone();
        if !self.http.is_own(metadata.authorization_endpoint().url()) {
            return Err(DexError::ForeignAddress);
        }
        let (state, nonce) = (flow.state.clone(), flow.nonce.clone());
        let verifier = PkceCodeVerifier::new(flow.verifier.clone());
        let (location, ..) =
            CoreClient::from_provider_metadata(metadata, self.client_id.clone(), None)
                .set_redirect_uri(self.redirect_uri.clone())
                .authorize_url(
                    CoreAuthenticationFlow::AuthorizationCode,
                    move || CsrfToken::new(state),
                    move || Nonce::new(nonce),
                )
                .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
                .url();
        Ok(Begun { location, cookie: flow.seal(&self.client_id, &self.sealer, sources) })
    }

    /// Completes a sign-in with what a browser came back with: its cookie, and the query of the address. The flow is over
    /// then, and the browser is to forget its cookie, unless what came back is none of its own
    /// ([`SignInError::OtherFlow`], [`SignInError::Malformed`]).
    pub async fn finish(
        &self,
        cookie: Option<&str>,
        query: &str,
        sources: Sources,
    ) -> Result<SignedIn, SignInError> {
        let flow = cookie.and_then(|cookie| Flow::open(&self.client_id, &self.sealer, cookie));
        let flow = flow.ok_or(SignInError::NoFlow)?;
        let age = (sources.now)() - flow.begun_at;
        if age >= FLOW_LIFE {
            return Err(SignInError::Expired);
        }
        let answer = Answer::parse(query)?;
        verify_slices_are_equal(answer.state.as_bytes(), flow.state.as_bytes())
            .map_err(|_| SignInError::OtherFlow)?;
        let code = answer.code.ok_or(SignInError::Denied)?;
        let tokens = self.exchange(code, flow.verifier).await?;
        let (subject, issued_at) = self.identify(&tokens, &Nonce::new(flow.nonce), sources).await?;
        Ok(SignedIn { subject, issued_at, return_to: flow.return_to })
    }

    /// Exchanges a code for tokens.
    async fn exchange(
        &self,
        code: String,
        verifier: String,
    ) -> Result<CoreTokenResponse, SignInError> {
        let metadata = self.metadata().await?.clone();
        let secret = Some(self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), secret)
            .set_redirect_uri(self.redirect_uri.clone());
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|_| answer("it names no token endpoint"))?;
        let answered = request
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .request_async(&self.http)
            .await;
        answered.map_err(|error| match error {
            RequestTokenError::Request(error) => error.into(),
            RequestTokenError::ServerResponse(refusal) => refused(refusal.error().as_ref()),
            RequestTokenError::Parse(..) => answer("it is no JSON of tokens").into(),
            RequestTokenError::Other(_) => answer("it is no answer of a token endpoint").into(),
        })
    }

    /// Whom the ID token is about, and since when, if it is for this client and this sign-in (OIDC Core §3.1.3.7).
    /// Dex's keys are asked for each time: it signs with a new one at once when it has one.
    async fn identify(
        &self,
        tokens: &CoreTokenResponse,
        nonce: &Nonce,
        sources: Sources,
    ) -> Result<(String, DateTime<Utc>), SignInError> {
        let token = tokens.id_token().ok_or_else(|| answer("it has no ID token"))?;
        let metadata = self.metadata().await?.clone();
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &self.http).await;
        let metadata = metadata.set_jwks(keys.map_err(discovery)?);
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), None);
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs([
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
                CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            ])
            .set_time_fn(sources.now)
            .set_issue_time_verifier_fn(move |issued_at| {
                let is_past = issued_at <= (sources.now)() + LEEWAY;
                if is_past { Ok(()) } else { Err("it was issued in the future".to_owned()) }
            });
        let claims = token.claims(&verifier, nonce).map_err(SignInError::IdToken)?;
        Ok((claims.subject().to_string(), claims.issue_time()))
    }

    async fn metadata(&self) -> Result<&CoreProviderMetadata, DexError> {
        if let Some(known) = self.metadata.get() {
            return Ok(known);
        }
        let asked = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let asked = asked.map_err(discovery)?;
        // Whoever asked at the same time got the same answer.
        Ok(self.metadata.get_or_init(|| asked))
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (issuer, client) = (&self.issuer, &self.client_id);
        f.debug_struct("SignIn")
            .field("issuer", issuer)
            .field("client_id", client)
            .finish_non_exhaustive()
    }
}

/// What Dex comes back with (RFC 6749 §4.1.2).
struct Answer {
    state: String,
    /// `None`: it comes with an error. Which, makes no difference, and whoever sent it may have made it up.
    code: Option<String>,
}

impl Answer {
    /// Each name comes once at most (RFC 6749 §3.1).
    fn parse(query: &str) -> Result<Self, SignInError> {
        if query.len() > MAX_QUERY_BYTES {
            return Err(SignInError::Malformed);
        }
        let (mut state, mut code, mut error) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match &*name {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(SignInError::Malformed);
            }
        }
        match (state, code, error) {
            (Some(state), code @ Some(_), None) | (Some(state), code @ None, Some(_)) => {
                Ok(Self { state: state.into_owned(), code: code.map(Cow::into_owned) })
            }
            _ => Err(SignInError::Malformed),
        }
    }
}

/// What a refusal of the token endpoint means (RFC 6749 §5.2). That the client is unknown, or its secret wrong, is nothing
/// that whoever signs in can change.
fn refused(error: &str) -> SignInError {
    match error {
        "invalid_grant" | "invalid_request" => SignInError::CodeRefused,
        "invalid_client" => answer("it does not know the client, or its secret").into(),
        "unauthorized_client" => answer("the client may not do this").into(),
        _ => answer("it is an error").into(),
    }
}

fn discovery(error: DiscoveryError<DexError>) -> DexError {
    match error {
        DiscoveryError::Request(error) => error,
        DiscoveryError::Response(status, ..) => answer(&format!("status {status}")),
        DiscoveryError::Validation(_) => answer("the discovery document names another issuer"),
        _ => answer("discovery document or keys cannot be read"),
    }
}

fn answer(fault: &str) -> DexError {
    DexError::Answer(fault.to_owned())
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (is_bare && matches!(url.scheme(), "http" | "https")).then_some(url)
}
