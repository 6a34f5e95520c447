//! The accounts pages as a script uses them: their actions as JSON, and the codes that they mail.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use devstack::mail;
use reqwest::{Client, header};
use serde_json::Value;
use url::Url;

use crate::wait::{HANG, until};

/// A script of the accounts pages, with its cookie.
pub struct Script {
    http: Client,
    base: String,
    origin: String,
    home: Option<Ipv4Addr>,
    cookie: Option<String>,
}

impl Script {
    /// A script without a cookie, at the pages of this address.
    pub fn new(pages: &str) -> Result<Self> {
        let origin = pages.parse::<Url>().context("the pages have an address")?.origin();
        Ok(Self {
            http: Client::builder().no_proxy().timeout(HANG).build().context("no HTTP client")?,
            base: pages.to_owned(),
            origin: origin.ascii_serialization(),
            home: None,
            cookie: None,
        })
    }

    /// The same, calling from a network of its own, for pages that believe what a proxy on this machine says.
    #[must_use]
    pub fn at_home(self, home: Ipv4Addr) -> Self {
        Self { home: Some(home), ..self }
    }

    /// Calls an action, and gives what it answers: nothing for an empty body. A refusal is an error.
    pub async fn call(&mut self, path: &str, body: Value) -> Result<Value> {
        let mut request = self.http.post(format!("{}/v1/{path}", self.base)).json(&body);
        request = request.header(header::ORIGIN, &self.origin).header("x-session", "1");
        if let Some(home) = self.home {
            request = request.header("x-real-ip", home.to_string());
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = request.send().await?.error_for_status()?;
        if let Some(set) = answer.headers().get(header::SET_COOKIE) {
            self.cookie = set.to_str()?.split(';').next().map(str::to_owned);
        }
        let text = answer.text().await?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }
}

/// Waits for the `count`th code that was mailed to an address.
pub async fn code(inbox: &str, email: &str, count: usize) -> Result<String> {
    until("a mail with a code", async || {
        let mails = mail::mails(inbox).await?;
        let to_them =
            mails.iter().filter(|mail| mail.envelope.to.iter().any(|it| it.address == email));
        let mut codes = to_them.filter_map(|mail| mail.text.lines().find(|line| is_code(line)));
        codes.nth(count - 1).map(str::to_owned).context("it is not there yet")
    })
    .await
}

/// Two groups of four symbols.
fn is_code(line: &str) -> bool {
    line.len() == 9 && line.as_bytes()[4] == b'-'
}
