//! A real browser: Chromium without a window, driven over `WebDriver` (W3C).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use devstack::part::{Part, probe};
use devstack::ports;
use devstack::program::Program;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::wait::HANG;

/// A browser with a profile of its own. It ends with this value, or with the process, however that ends.
pub struct Chromium {
    client: Client,
    _driver: Part,
}

impl Chromium {
    /// Opens a window of this width, in CSS pixels. Its log and files lie in a stack's state directory.
    pub async fn open(state: &Path, width: u32) -> Result<Self> {
        let port = ports::free()?;
        let address = format!("http://127.0.0.1:{port}");
        let program =
            Program::new("chromedriver").args([format!("--port={port}")]).env("HOME", state);
        let status = format!("{address}/status");
        let ready = probe(move || {
            let status = status.clone();
            async move {
                let http = reqwest::Client::builder().no_proxy().build()?;
                http.get(status).send().await?.error_for_status()?;
                Ok(())
            }
        });
        let driver = Part::new(format!("chromium-{port}"), program, state, ready);
        driver.start().await?;
        let capabilities = capabilities(width)?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&address)
            .await
            .with_context(|| format!("Chromium does not start: {}", driver.last_lines(20)))?;
        Ok(Self { client, _driver: driver })
    }

    /// What `WebDriver` can do.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The value of a script's expression in the page.
    pub async fn eval<T: DeserializeOwned>(&self, expression: &str) -> Result<T> {
        let value = self.client.execute(&format!("return {expression}"), Vec::new()).await?;
        serde_json::from_value(value).with_context(|| format!("{expression} is something else"))
    }

    /// The status of the answer that the page came with.
    pub async fn status(&self) -> Result<u16> {
        self.eval("performance.getEntriesByType('navigation')[0].responseStatus").await
    }

    /// Presses keys on whatever has the focus; it may move meanwhile.
    pub async fn press(&self, keys: &str) -> Result<()> {
        self.client.active_element().await?.send_keys(keys).await.map_err(Into::into)
    }
}

fn capabilities(width: u32) -> Result<serde_json::Map<String, Value>> {
    let mut arguments = vec![
        "--headless=new",
        // It asks nobody but Dex for anything.
        "--disable-background-networking",
        // Containers have a /dev/shm of 64 MiB, which is too little.
        "--disable-dev-shm-usage",
        // It listens on the driver instead of a port, so that it goes when the driver is killed.
        "--remote-debugging-pipe",
    ];
    // Chromium's sandbox does not work for root.
    if fs::metadata("/proc/self").context("there is no /proc")?.uid() == 0 {
        arguments.push("--no-sandbox");
    }
    let hang = HANG.as_millis();
    let capabilities = json!({
        "browserName": "chrome",
        "timeouts": {"pageLoad": hang, "script": hang},
        "goog:chromeOptions": {
            "args": arguments,
            // A window cannot be made narrower than 500 pixels; a telephone is.
            "mobileEmulation": {"deviceMetrics": {"width": width, "height": 800, "pixelRatio": 1}},
        },
    });
    serde_json::from_value(capabilities).context("capabilities are an object")
}
