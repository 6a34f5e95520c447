//! How long a connection lives, and who may keep one.

use std::sync::Arc;
use std::time::Duration;

use auth_proto::connector::v1::PromptRequest;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::Code;

use crate::setup::replica::{Replica, from_elsewhere};
use crate::setup::{Connector, Database, PASSWORD};

/// How long a test waits before it is taken for hung.
const HANG: Duration = Duration::from_mins(1);

/// A connection of a caller with Dex's certificate, of which only TLS has spoken yet.
async fn certified(connector: &Connector) -> TlsStream<TcpStream> {
    let authority = &connector.authority;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&authority.ca).expect("a CA")).expect("a root");
    let chain = vec![CertificateDer::from_pem_file(&authority.client.cert).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(&authority.client.key).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .expect("they fit");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(connector.address).await.expect("it listens");
    let name = ServerName::try_from("auth-connector").expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.expect("a handshake")
}

/// Waits until the service has ended the connection.
async fn ended(mut connection: impl tokio::io::AsyncRead + Unpin) {
    let mut rest = Vec::new();
    // Closed with or without an alert, or reset: gone in any case.
    let reading = connection.read_to_end(&mut rest);
    let _ = tokio::time::timeout(HANG, reading).await.expect("the service ends it");
}

#[tokio::test]
async fn a_certified_caller_that_stays_mute_is_ended() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    ended(certified(&connector).await).await;
}

#[tokio::test]
async fn a_certified_caller_that_does_not_speak_http_2_is_ended() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let mut connection = certified(&connector).await;
    connection.write_all(b"GET / HTTP/1.1\r\nhost: auth-connector\r\n\r\n").await.unwrap();
    ended(connection).await;
}

#[tokio::test]
async fn a_certified_caller_that_begins_http_2_and_does_not_go_on_is_ended() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    for beginning in [&b"PRI * HTTP/2.0\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut connection = certified(&connector).await;
        connection.write_all(beginning).await.unwrap();
        ended(connection).await;
    }
}

#[tokio::test]
async fn a_certified_caller_that_answers_no_ping_is_ended() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let mut connection = certified(&connector).await;
    // The preface, and empty settings (RFC 9113 §3.4, §6.5): a whole peer that then says nothing.
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let beginning = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat();
    connection.write_all(&beginning).await.unwrap();
    ended(connection).await;
}

#[tokio::test]
async fn without_tls_too_a_mute_caller_is_ended() {
    let database = Database::create().await;
    let replica = Replica::start(&database, &[]).await;
    ended(TcpStream::connect(replica.address()).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_there_is_room_for_keep_no_standing_caller_out() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let mut standing = connector.client();
    standing.prompt(PromptRequest {}).await.expect("it stands");
    let beginning =
        [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    let mut further = Vec::new();
    for _ in 0..400 {
        let mut connection = certified(&connector).await;
        connection.write_all(&beginning).await.unwrap();
        further.push(connection);
    }
    standing.prompt(PromptRequest {}).await.expect("it is still served");
    let mut refused = 0;
    for connection in &mut further {
        // Who is let in hears the service's settings.
        let mut first = [0];
        let heard = tokio::time::timeout(HANG, connection.read(&mut first))
            .await
            .expect("it is let in or ended");
        refused += usize::from(!heard.is_ok_and(|bytes| bytes > 0));
    }
    assert!(refused > 0, "all of them were let in");
    for connection in further {
        ended(connection).await;
    }
    connector.client().prompt(PromptRequest {}).await.expect("there is room again");
}

/// A call that is under way when its connection has had its time is answered on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_outlives_the_age_of_its_connection() {
    let database = Database::with_people().await;
    let replica = Replica::start(&database, &[("CONNECTOR_CONNECTION_AGE", "1")]).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table users").execute(&mut *held).await.unwrap();
    // 1.5 s until it is known that the database does not answer.
    let answer = replica.login(from_elsewhere("alice", PASSWORD, 1)).await;
    let status = answer.expect_err("the database does not answer");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "the account store does not answer", "from the service itself");
    held.rollback().await.unwrap();
}
