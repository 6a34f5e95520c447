//! What is said when the database cannot be reached: which, where and why, at once and without secrets.

use std::net::TcpListener;

use crate::setup::program::Program;
use crate::setup::{Database, eventually, keys, program, text};

/// Runs each command that needs the database.
fn each_command(dsn: &str) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "users: [{username: a}]").expect("it is written");
    let seed = file.path().to_str().expect("a path in UTF-8");
    let commands: [&[&str]; 5] = [
        &["migrate"],
        &["seed", "--file", seed],
        &["users", "list"],
        &["users", "create", "somebody"],
        &["audit", "tail"],
    ];
    commands
        .into_iter()
        .map(|command| {
            let output =
                program().args(command).env("POSTGRES_DSN", dsn).output().expect("it runs");
            assert_eq!(output.status.code(), Some(1), "{command:?}: {}", text(&output));
            let text = text(&output);
            assert!(!text.contains("canary"), "{command:?}: {text}");
            text
        })
        .collect()
}

#[track_caller]
fn says(dsn: &str, told: &[&str]) {
    for text in each_command(dsn) {
        for told in told {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
}

#[tokio::test]
async fn every_command_says_where_the_database_was_looked_for_and_why_it_was_not_reached() {
    let port = devstack::ports::free().expect("a port");
    let closed = format!("postgres://u:canary@127.0.0.1:{port}/accounts");
    says(&closed, &["PostgreSQL", &format!("accounts on 127.0.0.1:{port}"), "connection refused"]);
    let nowhere = "postgres://u:canary@no-such-host.invalid:5432/accounts";
    says(nowhere, &["accounts on no-such-host.invalid:5432", "lookup"]);
    says("postgres:///accounts?host=/nowhere", &["accounts on /nowhere", "its socket"]);
    // It takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = mute.local_addr().expect("an address");
    says(&format!("postgres://u:canary@{address}/accounts"), &[&address.to_string(), "no answer"]);

    let database = Database::create().await;
    let mut dsn: url::Url = database.dsn.parse().expect("a URL");
    dsn.set_path("/there_is_none");
    says(dsn.as_str(), &["there_is_none on ", "does not exist"]);
    let mut dsn: url::Url = database.dsn.parse().expect("a URL");
    dsn.set_query(Some("sslmode=require"));
    says(dsn.as_str(), &["TLS"]);
    let mut dsn: url::Url = database.dsn.parse().expect("a URL");
    dsn.set_password(Some("canary")).expect("a password");
    dsn.set_username("nobody_canary").expect("a user");
    says(dsn.as_str(), &["authentication failed", "percent-encoded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_its_database_says_in_its_log_where_it_was_looked_for_and_why() {
    let port = devstack::ports::free().expect("a port");
    let log = tempfile::NamedTempFile::new().expect("a file");
    let mut command = program();
    command
        .args(["serve", "--insecure"])
        .env("POSTGRES_DSN", format!("postgres://u:canary@127.0.0.1:{port}/accounts"))
        .env("PEPPER_FILE", &keys().peppers)
        .env("GUARD_KEY_FILE", &keys().guard_key)
        .env("BCRYPT_COST", "10")
        .stderr(log.reopen().expect("a file"));
    let service = Program::start(&mut command).await;
    let told = format!("accounts on 127.0.0.1:{port}: connection refused");
    let said = eventually("it is said", async || {
        let said = std::fs::read_to_string(log.path()).expect("a log");
        said.contains(&told).then_some(said)
    })
    .await;
    assert!(said.contains("the database does not answer") && !said.contains("canary"), "{said}");
    assert!(!service.is_ready().await);
}

#[test]
fn an_address_that_cannot_be_read_exits_64_and_says_which_part() {
    for (dsn, told) in [
        ("postgres://u:can/ary@db/accounts", "percent-encoded"),
        ("postgres://u:canary@db:port/accounts", "port"),
        ("postgres://u:canary@db/accounts?sslmode=canary", "sslmode"),
    ] {
        let output = program().args(["users", "list"]).env("POSTGRES_DSN", dsn).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{dsn}: {}", text(&output));
        let text = text(&output);
        assert!(text.contains("POSTGRES_DSN") && text.contains(told), "{dsn}: {text}");
        assert!(!text.contains("ary"), "{dsn}: {text}");
    }
}

#[test]
fn a_mistyped_parameter_is_named_without_its_value() {
    let dsn = "postgres://u@127.0.0.1:1/accounts?pasword=canary";
    for text in each_command(dsn) {
        assert!(text.contains("pasword"), "{text}");
    }
}
