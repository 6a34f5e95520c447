//! `audit tail`

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::setup::commands::{done, json_lines, run};
use crate::setup::{Connector, Database, PASSWORD, text};

#[tokio::test]
async fn the_trail_is_shown_by_event_account_network_and_time() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    connector.login("alice", "a guess").await;
    database.audited("login.fail", Some("wrong_password")).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    connector.login("nobody", PASSWORD).await;
    database.audited("login.fail", Some("unknown_name")).await;
    database.audited("login.ok", None).await;
    let events = |arguments: &[&str]| -> Vec<String> {
        let lines = json_lines(&database, &[&["audit", "tail", "--json"], arguments].concat());
        lines.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(events(&[]), ["login.fail", "login.ok", "login.fail"], "the newest last");
    assert_eq!(events(&["--limit", "1"]), ["login.fail"]);
    assert_eq!(events(&["--event", "login.ok"]), ["login.ok"]);
    assert_eq!(events(&["--reason", "unknown_name"]), ["login.fail"]);
    assert_eq!(events(&["--user", "alice@example.com"]), ["login.fail", "login.ok"]);
    assert_eq!(events(&["--network", "203.0.113.0/24", "--since", "1h"]).len(), 3);
    assert!(events(&["--network", "198.51.100.0/24"]).is_empty());
    assert!(events(&["--since", "2999-01-01T00:00:00Z"]).is_empty());
    // The calendar has the second one, the database does not.
    for ages in ["999999999d", "90000000d", "9999999999999s", "0000-01-01T00:00:00Z"] {
        assert_eq!(events(&["--since", ages]).len(), events(&[]).len(), "{ages}");
    }
    let table = done(&database, &["audit", "tail"]);
    assert!(table.starts_with("TIME") && table.contains("wrong_password"), "{table}");
    for (option, value) in [
        ("--since", "yesterday"),
        ("--since", "99999999999999999999d"),
        ("--since", "d"),
        ("--limit", "0"),
        ("--limit", "4294967296"),
        ("--network", "nonsense"),
        ("--event", "login.fial"),
        ("--reason", "nonsense"),
    ] {
        let output = run(&database, &["audit", "tail", option, value]);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
        assert!(text(&output).contains(option), "{}", text(&output));
    }
}

/// A running `audit tail --follow`.
struct Following {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Following {
    fn start(database: &Database, options: &[&str]) -> Self {
        let arguments = [&["audit", "tail", "--follow"], options].concat();
        let mut child =
            database.command(&arguments).stdout(Stdio::piped()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The next line; waits for it, and lets the runtime go on meanwhile.
    fn next(&mut self) -> String {
        let next = || self.lines.next().expect("it goes on").expect("UTF-8");
        tokio::task::block_in_place(next)
    }

    fn next_reason(&mut self) -> String {
        let line: Value = serde_json::from_str(&self.next()).expect("JSON");
        line["reason"].as_str().expect("a reason").to_owned()
    }

    fn interrupt(mut self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, Signal::SIGINT).expect("it can be signalled");
        assert!(tokio::task::block_in_place(|| self.child.wait()).expect("its end").success());
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Already gone is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_is_followed_until_interrupted() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let mut following = Following::start(&database, &["--json"]);
    connector.login("alice", "a guess").await;
    connector.login("nobody", "a guess").await;
    let mut reasons = [following.next_reason(), following.next_reason()];
    reasons.sort();
    assert_eq!(reasons, ["unknown_name", "wrong_password"], "each once");
    following.interrupt();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_limit_kept_back_does_not_come_later() {
    let database = Database::with_people().await;
    for name in ["carol", "dave"] {
        done(&database, &["users", "create", name]);
    }
    let mut following = Following::start(&database, &["--limit", "1"]);
    let heading = following.next();
    assert!(following.next().contains("dave"));
    done(&database, &["users", "create", "frank"]);
    let new = following.next();
    assert!(new.contains("frank"), "{new}");
    assert_eq!(new.find("account.created"), heading.find("EVENT"), "under its heading: {new}");
    following.interrupt();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_seen_enough_ends_it_quietly() {
    let database = Database::with_people().await;
    done(&database, &["users", "create", "carol"]);
    let mut tail = database.command(&["audit", "tail", "--follow"]);
    let mut child = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    tokio::task::block_in_place(|| lines.next()).unwrap().unwrap();
    drop(lines);
    done(&database, &["users", "create", "dave"]);
    let output = tokio::task::block_in_place(|| child.wait_with_output()).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output));
}
