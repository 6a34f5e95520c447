//! HTTP/1.1 over connections that stay open, with requests that were written beforehand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// The most headers of an answer: more than any server here sends.
const HEADERS: usize = 32;

/// A POST of some JSON, as it goes over the wire.
pub(crate) fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let (authorization, length) = (authorization(token), body.len());
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}content-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A GET, as it goes over the wire.
pub(crate) fn get(path: &str, token: &str) -> Vec<u8> {
    let authorization = authorization(Some(token));
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{authorization}\r\n").into_bytes()
}

fn authorization(token: Option<&str>) -> String {
    token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default()
}

/// An answer: its status, and head and body where they lie in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// From the status to the empty line.
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The body of an answer with that status; any other is a fault.
    pub(crate) fn expect(self, status: u16) -> Result<&'a [u8]> {
        let body = String::from_utf8_lossy(self.body);
        ensure!(self.status == status, "{} instead of {status}: {body}", self.status);
        Ok(self.body)
    }
}

/// A connection that carries one request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("the server refuses connections")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, body) = loop {
            self.buffer.reserve(4096);
            let read = self.stream.read_buf(&mut self.buffer).await?;
            ensure!(read > 0, "the server closed the connection");
            if let Some(answer) = parse(&self.buffer)? {
                break answer;
            }
        };
        Ok(Answer { status, head: &self.buffer[..body.start], body: &self.buffer[body] })
    }
}

/// The status of an answer and where its body lies; `None` when more has to come.
fn parse(bytes: &[u8]) -> Result<Option<(u16, Range<usize>)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes)? else { return Ok(None) };
    let length = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("an answer without a length")?.value;
    let end = start + std::str::from_utf8(length)?.trim().parse::<usize>()?;
    let status = head.code.context("an answer without a status")?;
    Ok((bytes.len() >= end).then_some((status, start..end)))
}

/// Connections, of which each call takes the one that was idle for longest, and waits if there is none: so
/// that no server ends one, as Node.js does after 5 s without a request.
#[derive(Debug)]
pub(crate) struct Pool {
    idle: Mutex<VecDeque<Connection>>,
    places: Semaphore,
}

impl Pool {
    pub(crate) async fn open(address: SocketAddr, connections: usize) -> Result<Self> {
        let idle = try_join_all((0..connections).map(|_| Connection::open(address))).await?;
        Ok(Self { idle: Mutex::new(idle.into()), places: Semaphore::new(connections) })
    }

    /// Sends a request and hands over the body of the answer, which must have that status.
    pub(crate) async fn ask(&self, request: &[u8], status: u16) -> Result<Vec<u8>> {
        let _place = self.places.acquire().await?;
        let mut connection = self.idle().pop_front().context("as many connections as places")?;
        let body = connection.ask(request).await?.expect(status)?.to_vec();
        self.idle().push_back(connection);
        Ok(body)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
