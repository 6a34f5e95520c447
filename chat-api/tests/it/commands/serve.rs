//! `chat-api serve` and `chat-api check-config`

use std::net::TcpListener;

use serde_json::json;
use tokio::process::Command;

use crate::setup::program::{finish, program, serve, terminate};
use crate::setup::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn bad_configuration_ends_with_64_and_names_the_option() {
    let setup = Setup::new().await;
    for (variable, value, option) in [
        ("CHAT_LISTEN", "everywhere", "--chat-listen"),
        ("ADMIN_LISTEN", "1", "--admin-listen"),
        ("KAFKA_BROKERS", "nowhere", "--kafka-brokers"),
        ("KAFKA_TOPIC_PREFIX", "a b", "--kafka-topic-prefix"),
        ("MONGODB_URI", "hunter2-is-secret", "--mongodb-uri"),
        ("MONGODB_DATABASE", "a/b", "--mongodb-database"),
        ("DEX_ISSUER_URL", "dex", "--dex-issuer-url"),
        ("DEX_ISSUER_URL", "http://dex/?query", "--dex-issuer-url"),
        ("DEX_DISCOVERY_URL", "ftp://dex", "--dex-discovery-url"),
        ("CHAT_ALLOWED_ORIGINS", "https://chat.example/path", "--chat-allowed-origins"),
        ("MONGODB_READ_CONNECTIONS", "0", "--mongodb-read-connections"),
        ("CHAT_RING_BYTES", "131071", "--chat-ring-bytes"),
        ("CHAT_WRITES", "edit,dance", "--chat-writes"),
        ("CHAT_WRITES", "Edit", "--chat-writes"),
        ("LIMIT_SENDS_PER_SECOND", "0", "--limit-sends-per-second"),
        ("LIMIT_SENDS_BURST", "1000001", "--limit-sends-burst"),
        ("LIMIT_READS_PER_SECOND", "many", "--limit-reads-per-second"),
        ("LIMIT_READS_BURST", "0", "--limit-reads-burst"),
        ("LIMIT_FRAMES_PER_SECOND", "-1", "--limit-frames-per-second"),
        ("LIMIT_FRAMES_BURST", "0", "--limit-frames-burst"),
        ("LOG_LEVEL", "chatty", "--log-level"),
    ] {
        for command in ["serve", "check-config"] {
            let child = program(&setup).arg(command).env(variable, value).spawn().unwrap();
            let (code, text) = finish(child).await;
            assert_eq!(code, Some(64), "{variable}: {text}");
            assert!(text.contains(option), "{variable}: {text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
    let child =
        program(&setup).args(["topics", "check", "--kafka-partitions", "0"]).spawn().unwrap();
    assert_eq!(finish(child).await.0, Some(64));
    let child = program(&setup).arg("check-config").env_remove("MONGODB_URI").spawn().unwrap();
    let (code, text) = finish(child).await;
    assert!(code == Some(64) && text.contains("--mongodb-uri"), "{text}");
    let child = program(&setup).arg("check-config").spawn().unwrap();
    assert_eq!(finish(child).await.0, Some(0));
    for (variable, value) in [
        ("CHAT_ALLOWED_ORIGINS", "https://chat.example, https://www.chat.example"),
        ("KAFKA_BROKERS", "one:9092 , two:9092"),
    ] {
        let child = program(&setup).arg("check-config").env(variable, value).spawn().unwrap();
        let (code, text) = finish(child).await;
        assert_eq!(code, Some(0), "{variable}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_and_an_absent_server_are_named() {
    let setup = Setup::new().await;
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let child = program(&setup).arg("serve").env("CHAT_LISTEN", &address).spawn().unwrap();
    let (code, text) = finish(child).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("CHAT_LISTEN") && text.contains(&address), "{text}");

    let quiet = |command: &mut Command| {
        command
            .env("CHAT_LISTEN", "127.0.0.1:0")
            .env("ADMIN_LISTEN", "127.0.0.1:0")
            .env("LOG_LEVEL", "trace");
    };
    let mut command = program(&setup);
    quiet(&mut command);
    let child = command.arg("serve").env("KAFKA_BROKERS", "127.0.0.1:1").spawn().unwrap();
    let (code, text) = finish(child).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("KAFKA_BROKERS"), "{text}");
    assert!(text.contains("127.0.0.1:1") && text.contains("refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_archive_is_named_without_its_password_and_nothing_else_waits_for_it() {
    let setup = Setup::new().await;
    let (mut command, address) = serve(&setup);
    let absent = "mongodb://someone:hunter2@127.0.0.1:1/?directConnection=true";
    let child = command.env("MONGODB_URI", absent).env("LOG_LEVEL", "trace").spawn().unwrap();
    let id = child.id().unwrap();
    let finished = tokio::spawn(finish(child));
    let ready = format!("http://{address}/v1/readyz");
    eventually("it is ready", async || {
        let status = reqwest::get(&ready).await.ok()?.status();
        (status == 200).then_some(())
    })
    .await;
    terminate(id);
    let (code, log) = finished.await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("127.0.0.1:1") && log.contains("refused"), "{log}");
    assert!(!log.contains("hunter2"), "the password is in the log:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_stops_at_sigterm_and_keeps_secrets_out_of_its_most_talkative_log() {
    let setup = Setup::new().await;
    let (mut command, address) = serve(&setup);
    let child = command.env("LOG_LEVEL", "trace").env("LOG_FORMAT", "json").spawn().unwrap();
    let id = child.id().unwrap();
    // Read all the while: a full pipe would stop the program.
    let finished = tokio::spawn(finish(child));

    let http = reqwest::Client::new();
    let url = format!("http://{address}/v1/messages");
    let (token, bad) = (setup.issuer.token("ada"), setup.issuer.token_until("ada", -600));
    eventually("it answers", async || http.get(&url).bearer_auth(&token).send().await.ok()).await;
    let body = json!({ "content": "some private words" });
    assert_eq!(http.post(&url).bearer_auth(&token).json(&body).send().await.unwrap().status(), 202);
    assert_eq!(http.post(&url).bearer_auth(&bad).json(&body).send().await.unwrap().status(), 401);
    setup.stored_count(1).await;

    let resident = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let resident = resident.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    let kilobytes: u64 = resident.split_whitespace().nth(1).unwrap().parse().unwrap();
    // Most of it is what was read of the file of the program, here a debug build.
    assert!(kilobytes <= 96 * 1024, "{resident}");

    terminate(id);
    let (code, log) = finished.await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("all sockets are closed"));
    for secret in [token.as_str(), &bad, token.rsplit_once('.').unwrap().1, "some private words"] {
        assert!(!log.contains(secret), "a secret is in the log");
    }
}
