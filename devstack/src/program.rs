//! How a program is started, and the process it becomes.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::ops::Deref;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{logs, process};

/// What a child may see of this process's environment; all else is given explicitly, so that a
/// superuser's DSN in the shell never reaches a service by accident.
const INHERITED: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "JAVA_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "RUST_BACKTRACE",
    "CI",
];

/// A program with its arguments, environment, directory and user: started as often as needed.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    removed: Vec<OsString>,
    whole_env: bool,
    dir: PathBuf,
    user: Option<&'static str>,
    cores: Option<String>,
    network: Option<&'static str>,
}

impl Program {
    /// A program by path, or by name on `PATH`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            args: Vec::new(),
            env: Vec::new(),
            removed: Vec::new(),
            whole_env: false,
            dir: crate::checkout::root().to_path_buf(),
            user: None,
            cores: None,
            network: None,
        }
    }

    /// Adds arguments. Arguments are public on a machine: no secrets here.
    #[must_use]
    pub fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Passes the whole environment on: for the user's own toolchains.
    #[must_use]
    pub fn with_whole_env(mut self) -> Self {
        self.whole_env = true;
        self
    }

    /// Takes a variable out of the environment.
    #[must_use]
    pub fn without_env(mut self, name: impl Into<OsString>) -> Self {
        self.removed.push(name.into());
        self
    }

    /// The working directory; the checkout's root otherwise.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = dir.into();
        self
    }

    /// Runs it as another user, which takes root.
    #[must_use]
    pub fn user(mut self, user: Option<&'static str>) -> Self {
        self.user = user;
        self
    }

    /// Lets it run on these processors only, a list such as `0,2-3`.
    #[must_use]
    pub fn on_cores(mut self, cores: &str) -> Self {
        self.cores = Some(cores.to_owned());
        self
    }

    /// Runs it in the network namespace of this file, which takes root.
    #[must_use]
    pub fn in_network(mut self, namespace: &'static str) -> Self {
        self.network = Some(namespace);
        self
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// The command: its process dies with the thread that starts it, and stands in a group of its
    /// own, so that Ctrl-C reaches the supervisor alone and parts stop in order.
    fn command(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = self.user {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.arg("--");
        if let Some(cores) = &self.cores {
            command.args(["taskset", "--cpu-list", cores]);
        }
        if let Some(namespace) = self.network {
            command.args(["nsenter", &format!("--net={namespace}"), "--"]);
        }
        command.arg(&self.path).args(&self.args);
        if !self.whole_env {
            command.env_clear();
            command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        for name in &self.removed {
            command.env_remove(name);
        }
        command
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// Starts it; what it writes is appended to the log.
    pub(crate) fn start(&self, log: &Path) -> Result<Process> {
        let file = open_log(log)?;
        let mut command = self.command();
        command.stderr(file.try_clone().context("a log has two writers")?).stdout(file);
        Process::start(command).with_context(|| format!("{} does not start", self.name()))
    }

    /// Starts it with standard output going to a file of its own and standard error to the log.
    pub(crate) fn start_split(&self, output: &Path, log: &Path) -> Result<Process> {
        let mut command = self.command();
        command
            .stdout(File::create(output).context("the output has no file")?)
            .stderr(open_log(log)?);
        Process::start(command).with_context(|| format!("{} does not start", self.name()))
    }

    /// Runs it to its end; a failure shows the last lines of the log.
    pub async fn run(&self, log: &Path) -> Result<()> {
        let process = self.start(log)?;
        let status = process.ended().await;
        if !status.success() {
            bail!(
                "{} failed ({status}); the last lines of {}:\n{}",
                self.name(),
                log.display(),
                logs::tail(log, 20)
            );
        }
        Ok(())
    }

    /// Runs it to its end and gives what it wrote; a failure tells the end of what it complained of.
    pub async fn output(&self) -> Result<String> {
        let dir = tempfile::tempdir().context("no temporary directory")?;
        let (output, complaints) = (dir.path().join("output"), dir.path().join("complaints"));
        let status = self.start_split(&output, &complaints)?.ended().await;
        if !status.success() {
            bail!("{} failed ({status}):\n{}", self.name(), logs::tail(&complaints, 20));
        }
        std::fs::read_to_string(&output).with_context(|| format!("{} wrote no text", self.name()))
    }
}

fn open_log(path: &Path) -> Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)
            .with_context(|| format!("{} cannot be made", dir.display()))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// A started process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Process {
    fn start(command: Command) -> Result<Self> {
        let mut child = spawn(command)?;
        let pid = Pid::from_raw(i32::try_from(child.id()).context("a process id is an i32")?);
        let (sender, exit) = watch::channel(None);
        thread::Builder::new()
            .name("wait".into())
            .spawn(move || {
                let status = child.wait().expect("a child is waited for by one thread only");
                sender.send_replace(Some(status));
            })
            .context("no thread to wait for a child")?;
        Ok(Self { pid, exit })
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// How it ended, if it has.
    pub(crate) fn exit(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Waits until it ends.
    pub(crate) async fn ended(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let status = exit
            .wait_for(Option::is_some)
            .await
            .expect("the waiting thread reports before it ends");
        status.expect("waited for a status")
    }

    /// Asks it to stop, and kills it when it has not within the grace. Tells whether it did.
    pub(crate) async fn stop(&self, signal: Signal, grace: Duration) -> bool {
        self.signal(signal);
        let stopped = tokio::time::timeout(grace, self.ended()).await.is_ok();
        if !stopped {
            self.kill_whole().await;
        }
        stopped
    }

    /// Kills it and all it started, and waits until none of them holds anything any more: the
    /// processes of PostgreSQL outlive their parent for a moment, with its shared memory.
    pub(crate) async fn kill_whole(&self) {
        let killed = self.kill();
        self.ended().await;
        while killed.iter().any(|pid| process::is_alive(*pid)) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Kills it, its process group and all it started, and tells which those were.
    fn kill(&self) -> Vec<i32> {
        if self.exit().is_some() {
            return Vec::new();
        }
        let tree = process::tree(self.pid.as_raw());
        // It may have ended this instant: then there is nothing left to kill.
        let _ = killpg(self.pid, Signal::SIGKILL);
        for pid in &tree {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        tree
    }

    /// Sends a signal to the process itself.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.exit().is_none() {
            let _ = kill(self.pid, signal);
        }
    }

    /// Stops it and everything it started. When this returns, none of it does anything: a signal is taken
    /// by one thread, and until that has its turn on a busy machine the others go on.
    pub(crate) fn freeze_tree(&self) {
        let tree = self.signal_tree(Signal::SIGSTOP);
        while !tree.iter().all(|pid| process::is_stopped(*pid)) {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets what is frozen go on.
    pub(crate) fn thaw_tree(&self) {
        self.signal_tree(Signal::SIGCONT);
    }

    fn signal_tree(&self, signal: Signal) -> Vec<i32> {
        let tree = process::tree(self.pid.as_raw());
        for pid in &tree {
            let _ = kill(Pid::from_raw(*pid), signal);
        }
        tree
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Its files may be removed next: wait for the kernel to be done with it.
        for _ in 0..1000 {
            if self.exit().is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A process that has more to take down than the processes it started. When this is dropped it is asked to stop and
/// waited for, and killed only when it has not stopped within the grace.
pub(crate) struct Orderly {
    process: Process,
    grace: Duration,
}

impl Orderly {
    pub(crate) fn new(process: Process, grace: Duration) -> Self {
        Self { process, grace }
    }
}

impl Deref for Orderly {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

impl Drop for Orderly {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + self.grace;
        while self.exit().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Starts a child from one thread that lives as long as this process: the kernel ends a child
/// (`pdeathsig`) with the *thread* that started it, and a runtime's threads come and go.
fn spawn(command: Command) -> Result<Child> {
    type Reply = mpsc::Sender<std::io::Result<Child>>;
    static SPAWNER: OnceLock<mpsc::Sender<(Command, Reply)>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<(Command, Reply)>();
        thread::spawn(move || {
            for (mut command, reply) in orders {
                // Whoever asked may have gone: dropping a Child leaves it to pdeathsig.
                let _ = reply.send(command.spawn());
            }
        });
        sender
    });
    let (reply, answer) = mpsc::channel();
    spawner.send((command, reply)).context("the spawning thread is gone")?;
    answer
        .recv()
        .context("the spawning thread is gone")?
        .context("setpriv (util-linux) cannot be started")
}

#[cfg(test)]
#[path = "program_tests.rs"]
mod tests;
