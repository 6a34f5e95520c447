//! Reflection: the contract, for tools that ask for it

use tonic::{Code, Status};
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::setup::{Connector, Database};

async fn ask(connector: &Connector, what: MessageRequest) -> Result<MessageResponse, Status> {
    let question = ServerReflectionRequest { host: String::new(), message_request: Some(what) };
    let questions = tokio_stream::iter([question]);
    let mut client = ServerReflectionClient::new(connector.channel());
    let mut answers = client.server_reflection_info(questions).await?.into_inner();
    let answer = answers.message().await?.expect("an answer");
    Ok(answer.message_response.expect("what was asked for"))
}

#[tokio::test]
async fn with_reflection_a_tool_finds_the_service_and_its_contract() {
    let database = Database::create().await;
    let connector = Connector::start_with(&database.dsn, &["--reflection"]).await;

    let listed = ask(&connector, MessageRequest::ListServices(String::new())).await.unwrap();
    let MessageResponse::ListServicesResponse(listed) = listed else { panic!("{listed:?}") };
    let mut names: Vec<_> = listed.service.into_iter().map(|service| service.name).collect();
    names.sort();
    let ours = auth_connector::grpc::SERVICE_NAME;
    let expected = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", ours];
    assert_eq!(names, expected);

    let symbol = MessageRequest::FileContainingSymbol(format!("{ours}.Login"));
    let file = ask(&connector, symbol).await.unwrap();
    assert!(matches!(file, MessageResponse::FileDescriptorResponse(_)), "{file:?}");
}

#[tokio::test]
async fn without_the_option_there_is_no_reflection() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let status = ask(&connector, MessageRequest::ListServices(String::new())).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented, "{status}");
}

#[tokio::test]
async fn reflection_too_needs_a_certificate() {
    let database = Database::create().await;
    let connector =
        Connector::start_with(&database.dsn, &["--reflection", "--tls-client-names", "other"])
            .await;
    let status = ask(&connector, MessageRequest::ListServices(String::new())).await.unwrap_err();
    assert!(status.message().contains("transport error"), "{status}");
}
