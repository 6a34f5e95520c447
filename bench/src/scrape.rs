//! What a process tells over its admin port.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

/// Everything that a service counts, by the name with its labels.
pub(crate) async fn metrics(admin: &str) -> Result<BTreeMap<String, f64>> {
    Ok(samples(&get(&format!("http://{admin}/metrics")).await?))
}

/// The samples of the Prometheus text format.
pub(crate) fn samples(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        })
        .collect()
}

/// What is served at an address.
pub(crate) async fn get(url: &str) -> Result<String> {
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
    let answer = client.get(url).send().await?.error_for_status()?;
    Ok(answer.text().await?)
}
