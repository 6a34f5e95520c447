//! Whose certificates are let in, and which are shown

use std::path::Path;

use auth_proto::connector::v1::PromptRequest;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use devstack::pki::{self, Pki};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};

use crate::setup::program::Program;
use crate::setup::{Connector, Database, eventually};

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

/// A second authority, whose certificates end when the test says.
struct Issuer(CertifiedIssuer<'static, KeyPair>);

impl Issuer {
    fn create() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no name");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// A certificate with this name, as PEM with its key, that ends with this year.
    fn certificate(&self, name: &str, last_year: i32) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year + 1, 1, 1);
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.0).expect("a certificate").pem(), key.serialize_pem())
    }
}

#[tokio::test]
async fn an_expired_client_certificate_is_refused() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let issuer = Issuer::create();
    let authorities = [read(&connector.authority.ca), issuer.0.pem().into_bytes()].concat();
    std::fs::write(&connector.authority.ca, authorities).unwrap();

    let client = |last_year| {
        let (certificate, key) = issuer.certificate("dex", last_year);
        trusting(&connector).identity(Identity::from_pem(certificate, key))
    };
    eventually("the second authority is in use", async || {
        answers(connector.channel_with(client(2100))).await.then_some(())
    })
    .await;
    assert!(!answers(connector.channel_with(client(2025))).await, "expired");
}

#[tokio::test]
async fn the_end_of_the_certificate_is_a_metric_that_follows_the_file() {
    let database = Database::create().await;
    let files = tempfile::tempdir().unwrap();
    let issuer = Issuer::create();
    let path = |name: &str| files.path().join(name);
    let renew = |last_year| {
        let (certificate, key) = issuer.certificate("auth-connector", last_year);
        std::fs::write(path("cert"), certificate).unwrap();
        std::fs::write(path("key"), key).unwrap();
    };
    std::fs::write(path("ca"), issuer.0.pem()).unwrap();
    renew(2099);
    let mut command = database.command(&["serve"]);
    command.envs([("TLS_CERT_FILE", path("cert")), ("TLS_KEY_FILE", path("key"))]);
    command.env("TLS_CA_FILE", path("ca"));
    let program = Program::start(&mut command).await;

    // `date -ud 2100-01-01 +%s`, and a year later.
    for expires in ["4102444800", "4133980800"] {
        let line = format!("\ntls_certificate_expires_seconds {expires}\n");
        eventually(&line, async || program.metrics().await.contains(&line).then_some(())).await;
        renew(2100);
    }
    program.stop().await;
}
