//! The program as it serves, with settings of its own.

use reqwest::Response;
use serde_json::json;

use crate::setup::program::Alone;
use crate::setup::socket::{Socket, request_at};
use crate::setup::{Setup, eventually};

/// The program with these variables, once it serves.
pub(super) async fn served(setup: &Setup, variables: &[(&str, &str)]) -> Alone {
    let alone = Alone::with(setup, variables);
    let ready = format!("http://{}/v1/readyz", alone.address);
    eventually("it serves", async || {
        let status = alone.http.get(&ready).send().await.ok()?.status();
        (status == 200).then_some(())
    })
    .await;
    alone
}

pub(super) async fn say(alone: &Alone, token: &str, content: &str) -> Response {
    let url = format!("http://{}/v1/messages", alone.address);
    let request = alone.http.post(url).bearer_auth(token);
    request.json(&json!({ "content": content })).send().await.unwrap()
}

pub(super) async fn read(alone: &Alone, token: &str) -> Response {
    let url = format!("http://{}/v1/messages?limit=1", alone.address);
    alone.http.get(url).bearer_auth(token).send().await.unwrap()
}

pub(super) async fn socket(alone: &Alone, token: &str) -> Socket {
    let mut request = request_at(alone.address);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut socket = Socket::open(request).await.unwrap();
    socket.expect("ready").await;
    socket
}
