//! Runs the example service and reads what it says.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running example service. Dropped = killed.
pub(crate) struct Service {
    child: Child,
    log: BufReader<ChildStderr>,
    before: String,
    pub(crate) admin: String,
}

pub(crate) fn command() -> Command {
    let tests = std::env::current_exe().expect("the path of this test");
    let built = tests.ancestors().nth(2).expect("target/debug").join("examples/service");
    let mut command = Command::new(built);
    command.env_clear().stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

impl Service {
    pub(crate) fn start(behaviour: &str) -> Self {
        Self::start_with(behaviour, &[])
    }

    pub(crate) fn start_with(behaviour: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = command();
        command.args(["--behaviour", behaviour]).envs(variables.iter().copied());
        let mut child = command.spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut before = String::new();
        let admin = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).expect("its log") > 0, "no admin port: {before}");
            before += &line;
            if let Some(address) = line.trim().strip_prefix("admin ") {
                break address.to_owned();
            }
        };
        Self { child, log, before, admin }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, signal).expect("it can be signalled");
    }

    /// Waits for its end; returns how it ended and what it logged.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let mut log = std::mem::take(&mut self.before);
        self.log.read_to_string(&mut log).expect("its log");
        (self.child.wait().expect("its end"), log)
    }

    /// The status and the body of a page of the admin port.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = reqwest::get(format!("http://{}{path}", self.admin)).await.expect(path);
        (answer.status().as_u16(), answer.text().await.expect(path))
    }

    /// Asks again until the page has this status.
    pub(crate) async fn until(&self, path: &str, status: u16) -> String {
        let wanted = async {
            loop {
                match self.get(path).await {
                    (now, body) if now == status => return body,
                    _ => tokio::task::yield_now().await,
                }
            }
        };
        let hang = std::time::Duration::from_secs(20);
        tokio::time::timeout(hang, wanted).await.unwrap_or_else(|_| panic!("{path} never {status}"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
