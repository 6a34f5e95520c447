use super::*;

/// Starts a shell that is ready to be told to stop, and then does what is given.
async fn told_to_stop(dir: &Path, then: &str) -> Process {
    let log = dir.join("log");
    let script = format!("trap '{then}' TERM; echo ready; while :; do sleep 0.02; done");
    let process = Program::new("sh").args(["-c", &script]).start(&log).unwrap();
    while !std::fs::read_to_string(&log).unwrap().contains("ready") {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    process
}

#[tokio::test]
async fn whoever_has_more_to_take_down_is_asked_and_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let done = dir.path().join("done");
    let process = told_to_stop(dir.path(), &format!("touch {}; exit", done.display())).await;
    drop(Orderly::new(process, Duration::from_mins(1)));
    assert!(done.exists());
}

#[tokio::test]
async fn whoever_does_not_stop_is_killed_after_the_grace() {
    let dir = tempfile::tempdir().unwrap();
    let process = told_to_stop(dir.path(), "").await;
    let pid = process.pid().as_raw();
    drop(Orderly::new(process, Duration::from_millis(50)));
    assert!(!process::is_alive(pid));
}
