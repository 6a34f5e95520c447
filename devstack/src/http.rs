//! Readiness over HTTP.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Certificate, Client, ClientBuilder};

/// Succeeds when a GET of the address answers 2xx.
pub(crate) async fn answers(url: &str) -> Result<()> {
    get(Client::builder(), url).await
}

/// The same of a server whose certificate an authority of ours has signed.
pub(crate) async fn answers_by(authority: &Path, url: &str) -> Result<()> {
    let pem = fs::read(authority).with_context(|| format!("no {}", authority.display()))?;
    let authority = Certificate::from_pem(&pem).context("an authority is a certificate")?;
    get(Client::builder().tls_certs_only([authority]), url).await
}

async fn get(client: ClientBuilder, url: &str) -> Result<()> {
    let client =
        client.no_proxy().timeout(Duration::from_secs(2)).build().context("no HTTP client")?;
    let response = client
        .get(url)
        .send()
        .await
        .map_err(reqwest::Error::without_url)
        .with_context(|| format!("{url} does not answer"))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = response.text().await.unwrap_or_default();
    ensure!(false, "{url} answers {status}: {body}");
    Ok(())
}
