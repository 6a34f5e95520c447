//! Readiness over HTTP.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// Succeeds when a GET of the address answers 2xx.
pub(crate) async fn answers(url: &str) -> Result<()> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(2))
        .build()
        .context("no HTTP client")?;
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
