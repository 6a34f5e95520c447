//! A browser at the pages: one connection, and its cookies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::Url;
use tokio::time::Instant;

use super::site::ORIGIN;
use crate::wire::http::Connection;

/// A browser. It follows nothing by itself.
pub(super) struct Browser {
    address: SocketAddr,
    /// From the first request on: who says nothing is closed.
    connection: Option<Connection>,
    cookies: BTreeMap<String, String>,
}

/// What it shows.
pub(super) struct Shown {
    head: String,
    pub(super) body: String,
    /// From the request to the last byte of the answer.
    pub(super) took: Duration,
}

impl Browser {
    /// One that looks at pages at this address.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self { address, connection: None, cookies: BTreeMap::new() }
    }

    /// Forgets its cookies.
    pub(super) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// What it shows at a path, which must have that status.
    pub(super) async fn get(&mut self, path: &str, status: u16) -> Result<Shown> {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), "\r\n", status).await
    }

    /// Sends a form.
    pub(super) async fn post(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        status: u16,
    ) -> Result<Shown> {
        let form = Url::parse_with_params(ORIGIN, fields)?;
        let form = form.query().unwrap_or_default();
        self.send(path, "application/x-www-form-urlencoded", form, status).await
    }

    /// Sends JSON, as a script of the pages does.
    pub(super) async fn call(&mut self, path: &str, json: &str, status: u16) -> Result<Shown> {
        self.send(path, "application/json", json, status).await
    }

    async fn send(&mut self, path: &str, kind: &str, body: &str, status: u16) -> Result<Shown> {
        let length = body.len();
        let rest = format!(
            "origin: {ORIGIN}\r\nx-session: 1\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.ask(&format!("POST {path} HTTP/1.1\r\n"), &rest, status).await
    }

    async fn ask(&mut self, first: &str, rest: &str, status: u16) -> Result<Shown> {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = match pairs.as_slice() {
            [] => String::new(),
            pairs => format!("cookie: {}\r\n", pairs.join("; ")),
        };
        let request =
            format!("{first}host: localhost:5559\r\naccept-language: en\r\n{cookies}{rest}");
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.address).await?),
        };
        let start = Instant::now();
        let answer = connection.ask(request.as_bytes()).await?;
        let took = start.elapsed();
        let body = String::from_utf8(answer.expect(status)?.to_vec())?;
        let head = String::from_utf8(answer.head.to_vec())?;
        let shown = Shown { head, body, took };
        for set in shown.headers("set-cookie") {
            let (pair, attributes) = set.split_once(';').context("a cookie without attributes")?;
            let (name, value) = pair.split_once('=').context("a cookie without a value")?;
            if attributes.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(shown)
    }
}

impl Shown {
    /// As it was sent, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }

    /// The values of a header, whose name is in small letters.
    fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// Where it leads.
    pub(super) fn leads_to(&self) -> Result<&str> {
        self.headers("location").next().context("it leads nowhere")
    }

    /// What its first form hides under this name.
    pub(super) fn hidden(&self, name: &str) -> Result<String> {
        let start = format!("name=\"{name}\" value=\"");
        let (_, rest) = self.body.split_once(&start).context("a form hides nothing of the name")?;
        let value = rest.split('"').next().unwrap_or_default();
        ensure!(!value.is_empty(), "a form hides nothing");
        Ok(value.to_owned())
    }
}
