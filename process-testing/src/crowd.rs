//! Many connections of a process of their own, so that their descriptors are not those of a test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{from_str, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{sleep, timeout};

use crate::wait::HANG;

const PROGRAM: &str = include_str!("crowd.py");

/// Connections that stay until it is dropped.
#[derive(Debug)]
pub struct Crowd {
    _process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Crowd {
    /// Opens `count` connections, each of which sends `text` and reads nothing.
    pub async fn gather(address: SocketAddr, count: usize, text: &str) -> Self {
        Self::open(address, count, "nothing", &[text]).await
    }

    /// Opens `count` connections, which send these texts in turns and keep what they are told.
    pub async fn listen(address: SocketAddr, count: usize, texts: &[Vec<u8>]) -> Self {
        Self::open(address, count, "all", texts).await
    }

    async fn open(
        address: SocketAddr,
        count: usize,
        kept: &str,
        texts: &[impl AsRef<[u8]>],
    ) -> Self {
        let mut process = Command::new("python3")
            .args(["-c", PROGRAM, &address.ip().to_string(), &address.port().to_string()])
            .args([&count.to_string(), kept])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 can be started");
        let input = process.stdin.take().expect("an input");
        let output = process.stdout.take().expect("an output");
        let mut crowd = Self { _process: process, input, lines: BufReader::new(output).lines() };
        let characters = |text: &[u8]| text.iter().copied().map(char::from).collect::<String>();
        let texts: Vec<_> = texts.iter().map(|text| characters(text.as_ref())).collect();
        assert_eq!(crowd.answer(&json!(texts).to_string()).await, "here", "it cannot connect");
        crowd
    }

    /// Waits until the other side has ended `count` of them.
    pub async fn until_ended(&mut self, count: usize) {
        let ended = async {
            while from_str::<usize>(&self.answer("").await).expect("a number") < count {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(HANG, ended).await.unwrap_or_else(|_| panic!("{count} of them never end"));
    }

    /// What of this pattern, in Python's words for bytes, each that listens was told until now, one match
    /// after the other with a blank between, and how many were told just that.
    pub async fn told(&mut self, pattern: &str) -> BTreeMap<String, usize> {
        from_str(&self.answer(pattern).await).expect("a tally")
    }

    async fn answer(&mut self, line: &str) -> String {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("it listens");
        self.lines.next_line().await.expect("its output").expect("a line")
    }
}
