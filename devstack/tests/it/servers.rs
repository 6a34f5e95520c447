use std::time::Duration;

use devstack::part::{Part, State, probe};
use devstack::program::Program;
use devstack::{kafka, mongodb, name, postgres};

#[tokio::test]
async fn a_private_postgres_keeps_its_data_over_stop_and_kill() {
    let dir = tempfile::tempdir().unwrap();
    let server = postgres::Server::start_private(dir.path()).await.unwrap();
    let database = name::unique("kept");
    postgres::create_database(server.dsn(), &database).await.unwrap();

    assert!(server.stop().await, "it stops without being killed");
    assert_eq!(server.state(), State::Stopped);
    server.start().await.unwrap();
    server.kill().await;
    server.start().await.unwrap();

    let again = postgres::create_database(server.dsn(), &database).await.unwrap_err();
    assert!(format!("{again:#}").contains("already exists"), "{again:#}");
    postgres::drop_database(server.dsn(), &database).await.unwrap();
}

#[tokio::test]
async fn a_private_kafka_stops_and_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let server = kafka::Broker::start_private(dir.path()).await.unwrap();
    assert!(server.stop().await, "it stops without being killed");
    server.start().await.unwrap();
    server.kill().await;
    server.start().await.unwrap();
}

#[tokio::test]
async fn a_frozen_mongodb_does_not_answer_until_it_is_thawed() {
    let dir = tempfile::tempdir().unwrap();
    let server = mongodb::ReplicaSet::start_private(dir.path()).await.unwrap();
    server.freeze();
    let ready = tokio::time::timeout(Duration::from_secs(1), server.ready()).await;
    assert!(ready.is_err(), "a frozen server answers");
    server.thaw();
    server.ready().await.unwrap();
    assert!(server.stop().await, "it stops without being killed");
}

#[tokio::test]
async fn a_part_that_ends_while_starting_fails_with_its_last_lines() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::new("sh").args(["-c", "echo the reason is this >&2; exit 3"]);
    let never = probe(|| async { anyhow::bail!("not ready") });
    let part = Part::new("broken", program, dir.path(), never);
    let error = format!("{:#}", part.start().await.unwrap_err());
    assert!(error.contains("broken ended while starting"), "{error}");
    assert!(error.contains("the reason is this"), "{error}");
    assert_eq!(part.state(), State::Stopped);
}

#[tokio::test]
async fn a_part_that_dies_by_itself_is_known_to_have_died() {
    let dir = tempfile::tempdir().unwrap();
    let ready = probe(|| async { Ok(()) });
    let part = Part::new("short", Program::new("sleep").args(["0.2"]), dir.path(), ready);
    part.start().await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), async {
        while !matches!(part.state(), State::Died(_)) {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("its death is noticed");
}
