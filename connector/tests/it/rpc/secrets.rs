//! Runs the real program at its most talkative and searches what it says.

use std::io::Read as _;
use std::process::Stdio;

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::setup::{Database, attempt, eventually, keys};

#[tokio::test(flavor = "multi_thread")]
async fn no_password_and_no_typed_name_is_logged_or_counted_or_kept() {
    let database = Database::with_people().await;
    let [grpc, admin] = [0, 1].map(|_| devstack::ports::free().expect("a port"));
    let mut child = database
        .command(&["serve", "--roles", "login", "--insecure"])
        .env("CONNECTOR_GRPC_LISTEN", format!("127.0.0.1:{grpc}"))
        .env("ADMIN_LISTEN", format!("127.0.0.1:{admin}"))
        .env("LOG_LEVEL", "trace")
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut log = child.stderr.take().expect("a pipe");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    let mut channel = eventually("the port", async || {
        PasswordConnectorClient::connect(format!("http://127.0.0.1:{grpc}")).await.ok()
    })
    .await;

    for name in ["alice", "nobody", "canary-name"] {
        let answer = channel.login(attempt(name, "canary-password")).await.unwrap();
        assert!(!answer.into_inner().valid_password);
    }
    let metrics = reqwest::get(format!("http://127.0.0.1:{admin}/metrics")).await.unwrap();
    let metrics = metrics.text().await.unwrap();
    assert!(metrics.contains("auth_events_total"), "{metrics}");
    database.audited("login.fail", Some("wrong_password")).await;
    drop(channel);
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let status = child.wait().unwrap();
    let log = reading.join().unwrap().unwrap();
    assert!(status.success(), "{status}: {}", log.lines().rev().take(9).collect::<String>());

    assert!(log.contains("serving without TLS"), "the insecure mode is announced");
    let trail: Vec<(String,)> = sqlx::query_as("select audit_events::text from audit_events")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    let trail = format!("{trail:?}");
    let dsn: url::Url = database.dsn.parse().unwrap();
    let dsn_password = dsn.password().unwrap_or("no password in the DSN");
    let [peppers, guard_key] = [&keys().peppers, &keys().guard_key]
        .map(|file| std::fs::read_to_string(file).expect("a key file"));
    let pepper = peppers.trim_end().rsplit(':').next().expect("a pepper");
    for secret in
        ["canary-password", "canary-name", dsn_password, "$2b$", pepper, guard_key.as_str()]
    {
        for (place, text) in [("log", &log), ("metrics", &metrics), ("trail", &trail)] {
            assert!(!text.contains(secret), "{secret} in the {place}");
        }
    }
}
