//! What no well-behaved caller sends: answered as tabled, and the next call is served.

use auth_connector::grpc::SERVICE_NAME;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{LoginResponse, PromptRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::setup::{Connector, Database, PASSWORD, PEOPLE, attempt, text};

/// Alice is still let in.
async fn serves(connector: &Connector) {
    assert!(connector.login("alice", PASSWORD).await.valid_password);
}

#[tokio::test]
async fn a_strange_name_is_refused_like_any_other() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    for name in [
        "",
        " ",
        &"n".repeat(1025),
        "alice\u{202e}",
        "\u{202e}ecila",
        "\u{430}lice",
        "al\u{456}ce",
        "alice\u{200f}",
        "\u{200b}",
        "alice@",
        "@",
    ] {
        let answer = connector.login(name, PASSWORD).await;
        assert_eq!(answer, LoginResponse::default(), "{name:?}");
    }
    serves(&connector).await;
}

#[tokio::test]
async fn a_name_written_from_right_to_left_is_a_name() {
    let database = Database::create().await;
    let people = format!("{PEOPLE}  - {{ username: עליזה, password: {PASSWORD} }}\n");
    let seeded = database.seed(&people, &["--allow-plain-passwords"]);
    assert!(seeded.status.success(), "{}", text(&seeded));
    let connector = Connector::start(&database.dsn).await;
    let identity = connector.login("עליזה", PASSWORD).await.identity.expect("let in");
    assert_eq!(identity.preferred_username, "עליזה");
}

#[tokio::test]
async fn a_password_of_any_length_is_right_or_wrong() {
    let database = Database::create().await;
    let longest = "p".repeat(72);
    let people = format!("{PEOPLE}  - {{ username: long, password: {longest} }}\n");
    let seeded = database.seed(&people, &["--allow-plain-passwords"]);
    assert!(seeded.status.success(), "{}", text(&seeded));
    let connector = Connector::start(&database.dsn).await;

    assert!(connector.login("long", &longest).await.valid_password, "72 bytes");
    for length in [0, 71, 73, 1024, 1025] {
        let answer = connector.login("long", &"p".repeat(length)).await;
        assert_eq!(answer, LoginResponse::default(), "{length} bytes");
    }
    serves(&connector).await;
}

#[tokio::test]
async fn a_message_of_65_kib_is_not_read() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let request = attempt("alice", &"p".repeat(65 * 1024));
    let status = connector.client().login(request).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    serves(&connector).await;
}

/// `LoginRequest` as somebody sends it who does not check text.
#[derive(Clone, PartialEq, prost::Message)]
struct RawLogin {
    #[prost(bytes = "vec", tag = "1")]
    username: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    password: Vec<u8>,
}

async fn send_raw(channel: Channel, login: RawLogin) -> Result<LoginResponse, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.expect("connected");
    let path = format!("/{SERVICE_NAME}/Login").parse().expect("a path");
    let codec = ProstCodec::<RawLogin, LoginResponse>::default();
    Ok(client.unary(Request::new(login), path, codec).await?.into_inner())
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused_with_the_field_and_without_its_bytes() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let (good, bad) = (PASSWORD.as_bytes().to_vec(), b"canary\xff\xfe".to_vec());
    for (username, password, field) in
        [(bad.clone(), good.clone(), "username"), (b"alice".to_vec(), bad, "password")]
    {
        let status = send_raw(connector.channel(), RawLogin { username, password }).await;
        let status = status.unwrap_err();
        // The decoder's own code: the message never becomes a request.
        assert_eq!(status.code(), Code::Internal, "{status}");
        assert!(status.message().contains(field), "{status}");
        assert!(!status.message().contains("canary"), "{status}");
    }
    let raw = RawLogin { username: b"alice".to_vec(), password: good };
    assert!(send_raw(connector.channel(), raw).await.unwrap().valid_password);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parallel_calls_are_all_answered() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    for connections in [1, 8] {
        let clients: Vec<_> = (0..connections).map(|_| connector.client()).collect();
        let mut calls = JoinSet::new();
        for client in clients.iter().cycle().take(10_000) {
            let mut client = client.clone();
            calls.spawn(async move { client.prompt(PromptRequest {}).await });
        }
        while let Some(call) = calls.join_next().await {
            if let Err(status) = call.unwrap() {
                let clean = [Code::Unavailable, Code::ResourceExhausted];
                assert!(clean.contains(&status.code()), "{connections} connections: {status}");
            }
        }
        for mut client in clients {
            client.prompt(PromptRequest {}).await.expect("the connection still serves");
        }
    }
    serves(&connector).await;
}

#[tokio::test]
async fn half_open_connections_keep_nobody_out_and_go() {
    // What precedes a ClientHello of 512 bytes that never comes.
    let partial = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01];
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let mut half_open = Vec::new();
    for number in 0..200 {
        let mut connection = TcpStream::connect(connector.address).await.unwrap();
        if number % 2 == 0 {
            connection.write_all(&partial).await.unwrap();
        }
        half_open.push(connection);
    }
    let mut client = PasswordConnectorClient::new(connector.channel());
    client.prompt(PromptRequest {}).await.expect("others are answered meanwhile");

    let all_closed = async {
        for mut connection in half_open {
            let mut rest = Vec::new();
            // Closed with or without an alert, or reset: gone in any case.
            let _ = connection.read_to_end(&mut rest).await;
        }
    };
    let hang = std::time::Duration::from_mins(1);
    tokio::time::timeout(hang, all_closed).await.expect("the service closes them");
    serves(&connector).await;
}
