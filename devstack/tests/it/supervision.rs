use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use devstack::checkout;

/// Only a hang limit.
const LIMIT: Duration = Duration::from_secs(10);

#[test]
#[expect(clippy::disallowed_methods, reason = "a hang limit of a test without a runtime")]
fn a_killed_supervisor_leaves_no_child() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Command::new(checkout::binary("examples/hold").unwrap())
        .arg(dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pid = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut pid).unwrap();
    let process = Path::new("/proc").join(pid.trim());
    assert!(!pid.trim().is_empty() && process.exists(), "it has started a server");

    // SIGKILL: nothing of its own runs any more.
    holder.kill().unwrap();
    holder.wait().unwrap();
    let deadline = Instant::now() + LIMIT;
    while process.join("exe").read_link().is_ok() {
        assert!(Instant::now() < deadline, "process {pid} outlives the one that started it");
        std::thread::yield_now();
    }
}
