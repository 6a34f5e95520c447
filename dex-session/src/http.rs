//! Calls to Dex, through our own HTTP client.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, redirect};
use thiserror::Error;
use url::Url;

/// How long an answer may take. Dex answers in milliseconds; people wait meanwhile.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest answer that is read. Dex's tokens with 150 groups have 28 KiB each, its keys under 1 KiB each.
const MAX_ANSWER_BYTES: usize = 256 << 10;

const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Dex does not answer as it must. It says nothing that somebody sent.
#[derive(Debug, Error)]
pub enum DexError {
    /// It cannot be reached, or does not answer in time.
    #[error("Dex does not answer")]
    Request(#[source] reqwest::Error),
    /// It answered more than is read.
    #[error("Dex answered more than is accepted")]
    TooLarge,
    /// It names addresses that are not its own.
    #[error("Dex names an address on another origin than its issuer's")]
    ForeignAddress,
    /// Its answer is not what it should be: what is wrong.
    #[error("Dex's answer cannot be used: {0}")]
    Answer(String),
}

/// Dex as seen from here.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    issuer: Url,
    /// Where it is reached from here, if not at its own address.
    discovery: Option<Url>,
}

impl Http {
    pub(crate) fn new(issuer: Url, discovery: Option<Url>) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            // Dex answers itself; whoever it points to would get our secret.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // No way that the environment variables of a proxy name.
            .no_proxy()
            .build()?;
        Ok(Self { client, issuer, discovery })
    }

    /// Sends a request that is for an address of Dex.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, DexError> {
        let mut request = reqwest::Request::try_from(request).map_err(DexError::Request)?;
        *request.url_mut() = self.address(request.url())?;
        let failed = |error: reqwest::Error| DexError::Request(error.without_url());
        let mut answer = self.client.execute(request).await.map_err(failed)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(DexError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Whether an address is Dex's own.
    pub(crate) fn is_own(&self, address: &Url) -> bool {
        address.origin() == self.issuer.origin()
    }

    /// From an address as Dex names it to the one at which it is reached: the discovery address for the document, which may
    /// have a path of its own, and the same path on its origin for all else.
    fn address(&self, named: &Url) -> Result<Url, DexError> {
        if !self.is_own(named) {
            return Err(DexError::ForeignAddress);
        }
        let Some(discovery) = &self.discovery else { return Ok(named.clone()) };
        let mut address = discovery.clone();
        if !named.path().ends_with(DISCOVERY_PATH) {
            address.set_path(named.path());
            address.set_query(named.query());
        } else if !address.path().ends_with(DISCOVERY_PATH) {
            let path = format!("{}{DISCOVERY_PATH}", address.path().trim_end_matches('/'));
            address.set_path(&path);
        }
        Ok(address)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = DexError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, DexError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
