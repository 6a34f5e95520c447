//! Connections at the accounts pages, and what is left for others

use std::process::Command;

use service_process_testing::crowd::Crowd;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::setup::program::Program;
use crate::setup::{Database, eventually, keys, utf8};

/// A program that may open `files` files, and the address of its accounts pages.
async fn start(database: &Database, files: usize) -> (Program, std::net::SocketAddr) {
    start_with(database, files, &[]).await
}

/// With these variables.
async fn start_with(
    database: &Database,
    files: usize,
    variables: &[(&str, &str)],
) -> (Program, std::net::SocketAddr) {
    let port = devstack::ports::free().expect("a port");
    let accounts = format!("127.0.0.1:{port}");
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .args(["-c", "ulimit -n $0 && exec $1 serve --insecure --roles login,accounts"])
        .args([&files.to_string(), env!("CARGO_BIN_EXE_auth-connector")])
        .env("POSTGRES_DSN", &database.dsn)
        .env("BCRYPT_COST", "10")
        .env("PEPPER_FILE", utf8(&keys().peppers))
        .env("GUARD_KEY_FILE", utf8(&keys().guard_key))
        .env("ACCOUNTS_LISTEN", &accounts)
        .envs(variables.iter().copied());
    (Program::start(&mut command).await, accounts.parse().expect("an address"))
}

async fn logins_are_served(program: &Program) {
    let service = auth_connector::grpc::SERVICE_NAME.to_owned();
    let answer = HealthClient::new(program.channel()).check(HealthCheckRequest { service }).await;
    assert_eq!(answer.expect("an answer").into_inner().status(), ServingStatus::Serving);
}

async fn pages_are_served(address: std::net::SocketAddr) {
    eventually("the pages are served", async || {
        let answer = reqwest::get(format!("http://{address}/accounts/healthz")).await.ok()?;
        (answer.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_who_say_nothing_at_the_accounts_pages_leave_logins_and_the_admin_port_alone()
{
    let database = Database::create().await;
    let (program, address) = start(&database, 20_000).await;
    let mut crowd = Crowd::gather(address, 10_000, "").await;
    assert!(program.is_ready().await);
    logins_are_served(&program).await;
    pages_are_served(address).await;
    crowd.until_ended(10_000).await;
    drop(crowd);
    pages_are_served(address).await;
    program.stop().await;
}

#[tokio::test]
async fn connections_at_the_accounts_pages_leave_descriptors_for_all_else() {
    let database = Database::create().await;
    let (program, address) = start(&database, 300).await;
    let mut crowd = Crowd::gather(address, 400, "GET /acc").await;
    assert!(program.is_ready().await);
    logins_are_served(&program).await;
    let metrics = program.metrics().await;
    let refused = metrics.lines().find_map(|line| {
        let value = line.strip_prefix(r#"http_connections_refused_total{port="public"} "#)?;
        value.parse::<f64>().ok()
    });
    assert!(refused.is_some_and(|refused| refused >= 300.0), "{refused:?}\n{metrics}");
    crowd.until_ended(400).await;
    drop(crowd);
    pages_are_served(address).await;
    program.stop().await;
}

#[tokio::test]
async fn whoever_keeps_connections_to_the_accounts_pages_and_asks_for_nothing_keeps_nobody_out() {
    let database = Database::create().await;
    let limits = [("HTTP_CONNECTIONS", "1000"), ("HTTP_KEEP_ALIVE", "3600")];
    let (program, address) = start_with(&database, 20_000, &limits).await;
    pages_are_served(address).await;
    let request = b"GET /accounts/healthz HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec();
    for count in [1, 300, 3_000] {
        let mut crowd = Crowd::listen(address, count, std::slice::from_ref(&request)).await;
        // More than there is room for are refused.
        eventually("they are answered", async || {
            let told = crowd.told("HTTP/1.1 200").await;
            let answered = told.get("HTTP/1.1 200").copied().unwrap_or_default();
            (answered >= count.min(900)).then_some(())
        })
        .await;
        pages_are_served(address).await;
        logins_are_served(&program).await;
        assert!(program.is_ready().await);
    }
    program.stop().await;
}
