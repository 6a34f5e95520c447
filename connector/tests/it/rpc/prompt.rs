//! `Prompt`

use auth_proto::connector::v1::PromptRequest;

use crate::setup::{Connector, Database};

#[tokio::test]
async fn the_prompt_is_the_label_of_the_name_field() {
    let database = Database::create().await;
    let connector = Connector::start(&database.dsn).await;
    let answer = connector.client().prompt(PromptRequest {}).await.unwrap().into_inner();
    assert_eq!(answer.prompt, "Username or e-mail");
}
