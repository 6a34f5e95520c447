use std::path::Path;

use auth_proto::connector::v1::PromptRequest;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use devstack::pki::{self, Pki};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::connector::{Connector, Database, eventually};

fn trusting(connector: &Connector) -> ClientTlsConfig {
    ClientTlsConfig::new()
        .domain_name("auth-connector")
        .ca_certificate(Certificate::from_pem(read(&connector.authority.ca)))
}

fn with(identity: &pki::Identity) -> Identity {
    Identity::from_pem(read(&identity.cert), read(&identity.key))
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a PEM file")
}

async fn answers(channel: Channel) -> bool {
    PasswordConnectorClient::new(channel).prompt(PromptRequest {}).await.is_ok()
}

#[tokio::test]
async fn only_a_certificate_of_our_ca_may_call() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let foreign = tempfile::tempdir().unwrap();
    let foreign = Pki::create(foreign.path()).unwrap().connector;

    assert!(answers(connector.channel()).await, "Dex's certificate");
    assert!(!answers(connector.channel_with(trusting(&connector))).await, "no certificate");
    let other = trusting(&connector).identity(with(&foreign.client));
    assert!(!answers(connector.channel_with(other)).await, "another CA's certificate");
    let server = trusting(&connector).identity(with(&connector.authority.server));
    assert!(!answers(connector.channel_with(server)).await, "a certificate for servers");
    assert!(answers(connector.channel()).await, "and it still answers");
}

#[tokio::test]
async fn rubbish_on_the_port_ends_that_connection_only() {
    use tokio::io::AsyncWriteExt as _;

    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let mut rubbish = TcpStream::connect(connector.address).await.unwrap();
    rubbish.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // Closed by the service, with or without an alert.
    let _ = rubbish.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(answers(connector.channel()).await);
}

#[tokio::test]
async fn silent_connections_keep_nobody_out() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(connector.address).await.unwrap());
    }
    assert!(answers(connector.channel()).await);
    drop(silent);
}

#[tokio::test]
async fn a_certificate_of_our_ca_with_another_name_is_refused() {
    let database = Database::create().await;
    let connector = Connector::start_for(&database.dsn, "somebody-else").await;
    assert!(!answers(connector.channel()).await, "it says dex");
    let connector = Connector::start_for(&database.dsn, "somebody-else,dex").await;
    assert!(answers(connector.channel()).await);
}

#[tokio::test]
async fn renewed_files_are_taken_up_and_unusable_ones_change_nothing() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let authority = &connector.authority;
    let standing = connector.channel();
    let old = trusting(&connector).identity(with(&authority.client));
    assert!(answers(standing.clone()).await);

    std::fs::write(&authority.server.cert, "rubbish").unwrap();
    eventually("the refusal is counted", async || {
        let metrics = reqwest::get(format!("http://{}/metrics", connector.admin)).await.unwrap();
        metrics.text().await.unwrap().contains("outcome=\"refused\"").then_some(())
    })
    .await;
    assert!(answers(connector.channel_with(old.clone())).await, "with what was read before");

    // A new CA with everything under it.
    Pki::create(authority.ca.parent().unwrap()).unwrap();
    eventually("the new certificates are in use", async || {
        answers(connector.channel()).await.then_some(())
    })
    .await;
    assert!(!answers(connector.channel_with(old)).await, "the old ones are out of use");
    assert!(answers(standing).await, "connections that stand are not cut");
}
