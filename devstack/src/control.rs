//! How the other commands speak to the supervisor: one JSON line each way over a Unix socket.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::checkout;
use crate::part::State;
use crate::stack::Stack;

/// A socket's path holds 107 bytes and a zero (unix(7)).
const PATH_LIMIT: usize = 107;

/// What is asked of the supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Report the state of every part.
    Status,
    /// Start one part anew.
    Restart { part: String, kill: bool },
    /// Stop everything and end.
    Down,
}

/// The supervisor's answer, after it has done what was asked.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) error: Option<String>,
    pub(crate) parts: Vec<PartReport>,
}

/// The state of one part.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartReport {
    pub(crate) name: String,
    pub(crate) state: String,
    /// The id of its process, while it runs.
    pub(crate) pid: Option<i32>,
    /// Whether it runs, as it should.
    pub(crate) well: bool,
}

impl Reply {
    /// The state of every part.
    pub(crate) fn of(stack: &Stack) -> Self {
        let given = stack.given().into_iter().map(|name| PartReport {
            name: name.into(),
            state: "given".into(),
            pid: None,
            well: true,
        });
        let own = stack.parts().into_iter().map(|part| {
            let (state, pid) = match part.state() {
                State::Running(pid) => ("running".into(), Some(pid)),
                State::Stopped => ("stopped".into(), None),
                State::Died(status) => (format!("died ({status})"), None),
            };
            PartReport { name: part.name().into(), state, pid, well: pid.is_some() }
        });
        Self { error: None, parts: given.chain(own).collect() }
    }
}

/// The claim to be the one supervisor of this checkout; freed when the process ends.
pub(crate) struct Claim(#[expect(dead_code, reason = "the open file is the claim")] File);

impl Claim {
    /// Takes the claim, or nothing when another process has it.
    pub(crate) fn take() -> Result<Option<Self>> {
        let state = checkout::state();
        fs::create_dir_all(&state)
            .with_context(|| format!("{} cannot be made", state.display()))?;
        let path = state.join("up.lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error).context("no lock on .dev/up.lock"),
        }
    }
}

fn socket_path() -> PathBuf {
    let path = checkout::state().join("control");
    if path.as_os_str().len() <= PATH_LIMIT {
        return path;
    }
    let digest = checkout::digest(path.as_os_str().as_encoded_bytes());
    std::env::temp_dir().join(format!("dev-{digest}"))
}

/// The supervisor's end.
pub(crate) struct Control(UnixListener);

impl Control {
    /// Listens; only the holder of the claim does.
    pub(crate) fn listen(_claim: &Claim) -> Result<Self> {
        let path = socket_path();
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("{} cannot be listened on", path.display()))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))
            .with_context(|| format!("{} cannot be protected", path.display()))?;
        Ok(Self(listener))
    }

    /// The next request and the stream to answer on; a client that says nothing sensible is
    /// passed over.
    pub(crate) async fn next(&self) -> (Request, UnixStream) {
        loop {
            let Ok((mut stream, _)) = self.0.accept().await else { continue };
            let mut line = String::new();
            let read = BufReader::new(&mut stream).read_line(&mut line).await;
            if let (Ok(_), Ok(request)) = (read, serde_json::from_str(&line)) {
                return (request, stream);
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let _ = fs::remove_file(socket_path());
    }
}

/// Answers a request. The client may have left: nothing to do about it then.
pub(crate) async fn answer(mut stream: UnixStream, reply: &Reply) {
    if let Ok(text) = serde_json::to_string(reply) {
        let _ = stream.write_all(text.as_bytes()).await;
    }
}

/// Asks the supervisor; nothing when none listens.
pub(crate) async fn ask(request: &Request) -> Result<Option<Reply>> {
    let Ok(mut stream) = UnixStream::connect(socket_path()).await else {
        return Ok(None);
    };
    let line = serde_json::to_string(request).context("a request is plain data")? + "\n";
    let mut text = String::new();
    let mut talk = async || -> std::io::Result<()> {
        stream.write_all(line.as_bytes()).await?;
        stream.read_to_string(&mut text).await.map(drop)
    };
    talk().await.context("the running stack does not answer")?;
    let Ok(reply) = serde_json::from_str::<Reply>(&text) else {
        bail!("the running stack ended without an answer");
    };
    Ok(Some(reply))
}
