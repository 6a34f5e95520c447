//! What a browser and Node see of the end of a socket

use std::net::SocketAddr;
use std::process::Stdio;

use axum::http::HeaderValue;
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::setup::{HANG, Setup};

const ENDS: &str = include_str!("browser_and_node.js");

/// What is to be seen: 1005 says that there was no code.
fn clean() -> Value {
    let codes = [1005, 1000, 3000, 4000, 1009, 1009, 4501];
    codes.map(|code| json!([code, true])).into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn node_sees_every_end_as_a_clean_one() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let script = format!(
        "{ENDS} ends(process.env.ADDRESS, process.env.TOKEN)
                .then((seen) => console.log(JSON.stringify(seen)))"
    );
    let node = Command::new("node")
        .args(["--experimental-websocket", "--no-warnings", "-e", &script])
        .env("ADDRESS", replica.address.to_string())
        .env("TOKEN", setup.issuer.token("ada"))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(HANG, node).await.expect("it ends").expect("node is there");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    assert_eq!(seen, clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn chromium_sees_every_end_as_a_clean_one() {
    let setup = Setup::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let allowed = HeaderValue::try_from(&origin).unwrap();
    let replica =
        setup.replica_with(|config| config.args.http.chat_allowed_origins = vec![allowed]).await;
    let (tell, mut told) = mpsc::channel(1);
    let page = page(replica.address, &setup.issuer.token("ada"));
    let router = Router::new().route("/", get(async move || Html(page))).route(
        "/seen",
        post(async move |Json(seen): Json<Value>| {
            tell.send(seen).await.expect("somebody waits for it");
        }),
    );
    let pages = tokio::spawn(async move { axum::serve(listener, router).await });

    let home = tempfile::tempdir().unwrap();
    let _browser = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(&origin)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("chromium is there");
    let seen = tokio::time::timeout(HANG, told.recv()).await.expect("the page tells").unwrap();
    assert_eq!(seen, clean());
    pages.abort();
}

fn page(address: SocketAddr, token: &str) -> String {
    format!(
        "<!doctype html><script>{ENDS}
            ends('{address}', '{token}').then((seen) => fetch('/seen', {{
                method: 'POST',
                headers: {{ 'Content-Type': 'application/json' }},
                body: JSON.stringify(seen),
            }}));
        </script>"
    )
}
