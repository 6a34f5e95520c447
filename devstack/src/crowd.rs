//! Many connections of a process of their own, so that their descriptors are not those of a test.

use std::net::SocketAddr;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const PROGRAM: &str = include_str!("crowd.py");

/// Connections that stay until it is dropped.
#[derive(Debug)]
pub struct Crowd {
    _process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Crowd {
    /// Opens so many connections, each of which says `text` and reads nothing.
    pub async fn gather(address: SocketAddr, count: usize, text: &str) -> Result<Self> {
        let mut process = Command::new("python3")
            .args(["-c", PROGRAM, &address.ip().to_string(), &address.port().to_string()])
            .args([&count.to_string(), &text.escape_default().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("python3 cannot be started")?;
        let input = process.stdin.take().context("it has an input")?;
        let output = process.stdout.take().context("it has an output")?;
        let mut lines = BufReader::new(output).lines();
        let here = lines.next_line().await?;
        ensure!(here.as_deref() == Some("here"), "it cannot connect: {here:?}");
        Ok(Self { _process: process, input, lines })
    }

    /// How many of them the other side has ended.
    pub async fn ended(&mut self) -> Result<usize> {
        self.input.write_all(b"\n").await?;
        let line = self.lines.next_line().await?.context("it is gone")?;
        line.parse().context("it tells a number")
    }
}
