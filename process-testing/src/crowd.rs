//! Many connections of a process of their own, so that their descriptors are not those of a test.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

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
        let mut process = Command::new("python3")
            .args(["-c", PROGRAM, &address.ip().to_string(), &address.port().to_string()])
            .args([&count.to_string(), &text.escape_default().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python3 can be started");
        let input = process.stdin.take().expect("an input");
        let output = process.stdout.take().expect("an output");
        let mut lines = BufReader::new(output).lines();
        let here = lines.next_line().await.expect("its output");
        assert_eq!(here.as_deref(), Some("here"), "it cannot connect");
        Self { _process: process, input, lines }
    }

    /// Waits until the other side has ended `count` of them.
    pub async fn until_ended(&mut self, count: usize) {
        let ended = async {
            while self.ended().await < count {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(HANG, ended).await.unwrap_or_else(|_| panic!("{count} of them never end"));
    }

    async fn ended(&mut self) -> usize {
        self.input.write_all(b"\n").await.expect("it listens");
        let line = self.lines.next_line().await.expect("its output").expect("a line");
        line.parse().expect("a number")
    }
}
