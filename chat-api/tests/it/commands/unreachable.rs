//! What is said when a server cannot be reached: which, where and why, at once and without secrets.

use std::net::TcpListener;
use std::time::Duration;

use chat_api::kafka::{Log, Security};
use rdkafka::mocking::MockCluster;

use crate::setup::Setup;
use crate::setup::program::{finish, program};

/// Runs a command that needs the servers, with one of its variables changed.
async fn run(
    setup: &Setup,
    command: &[&str],
    variable: &str,
    value: &str,
) -> (Option<i32>, String) {
    let mut program = program(setup);
    program.args(command).env(variable, value);
    program.env("CHAT_LISTEN", "127.0.0.1:0").env("ADMIN_LISTEN", "127.0.0.1:0");
    finish(program.spawn().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_says_where_kafka_was_looked_for_and_why_it_was_not_reached() {
    let setup = Setup::new().await;
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().to_string();
    let commands: [&[&str]; 6] = [
        &["serve"],
        &["topics", "ensure"],
        &["topics", "check"],
        &["dlq", "list"],
        &["dlq", "replay", "--all"],
        &["archive", "rebuild"],
    ];
    for command in commands {
        for (brokers, why) in
            [(closed.as_str(), "refused"), ("no-such-host.invalid:9092", "resolve")]
        {
            let (code, text) = run(&setup, command, "KAFKA_BROKERS", brokers).await;
            assert_eq!(code, Some(1), "{command:?}: {text}");
            for told in ["Kafka cannot be reached", brokers, why] {
                assert!(text.contains(told), "{told} of {command:?}: {text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_far_away_are_reached() {
    let brokers = MockCluster::new(1).unwrap();
    let log = Log {
        brokers: brokers.bootstrap_servers(),
        prefix: String::new(),
        security: Security::default(),
        generation: 0,
    };
    brokers.create_topic(&log.messages(), 3, 1).unwrap();
    brokers.broker_round_trip_time(1, Duration::from_millis(300)).unwrap();
    let asked = tokio::task::spawn_blocking(move || log.partitioner()).await.unwrap();
    assert_eq!(asked.unwrap().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_says_where_mongodb_was_looked_for_and_why_it_was_not_reached() {
    let setup = Setup::new().await;
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let there = setup.mongodb_uri.strip_prefix("mongodb://").unwrap();
    let (host, _) = there.split_once('/').unwrap_or((there, ""));
    for (uri, told) in [
        (format!("mongodb://u:hunter2@{closed}/"), vec![closed.to_string(), "refused".to_owned()]),
        (
            "mongodb://u:hunter2@no-such-host.invalid:27017/".to_owned(),
            vec!["no-such-host.invalid:27017".to_owned(), "lookup".to_owned()],
        ),
        (
            format!("mongodb://u:hunter2@{host}/?directConnection=true"),
            vec![host.to_owned(), "authentication failed".to_owned()],
        ),
        (
            format!("mongodb://u:hunter2@{host}/?directConnection=true&tls=true"),
            vec![host.to_owned()],
        ),
    ] {
        let (code, text) = run(&setup, &["archive", "rebuild"], "MONGODB_URI", &uri).await;
        assert_eq!(code, Some(1), "{uri}: {text}");
        assert!(text.contains("MongoDB cannot be reached"), "{uri}: {text}");
        for told in told {
            assert!(text.contains(&told), "{told} of {uri}: {text}");
        }
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_string_that_cannot_be_read_exits_64_and_says_which_part() {
    let setup = Setup::new().await;
    for (uri, told) in [
        ("hunter2", "mongodb://"),
        ("postgres://u:hunter2@h", "mongodb://"),
        ("mongodb://u:hun/ter2@h:27017/", "percent-encoded"),
        ("mongodb://u:1?hunter2@h:27017/", "percent-encoded"),
        ("mongodb://u:hunter2%@h:27017/", "password"),
        ("mongodb://u:hunter2@h:port/", "hosts"),
        ("mongodb://u:hunter2@h/?tls=hunter2", "tls"),
        ("mongodb://u:hunter2@h/?hunter2", "options"),
    ] {
        for command in [&["check-config"][..], &["archive", "rebuild"]] {
            let (code, text) = run(&setup, command, "MONGODB_URI", uri).await;
            assert_eq!(code, Some(64), "{uri}: {text}");
            assert!(text.contains("mongodb-uri") && text.contains(told), "{uri}: {text}");
            assert!(!text.contains("ter2"), "{uri}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_could_never_acknowledge_a_message_are_not_made() {
    let setup = Setup::new().await;
    for action in ["ensure", "check"] {
        // That is said before anybody is asked.
        let command = ["topics", action, "--kafka-replication-factor", "1"];
        let command = [&command[..], &["--kafka-brokers", "127.0.0.1:1"]].concat();
        let (code, text) = run(&setup, &command, "KAFKA_MIN_INSYNC_REPLICAS", "2").await;
        assert_eq!(code, Some(64), "{text}");
        assert!(text.contains("--kafka-min-insync-replicas"), "{text}");
    }
}
