//! Sockets that come and go while a room is busy

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::setup::Setup;
use crate::setup::socket::{Socket, request_at};

/// What is said, and how many hear it by fits and starts.
const SAID: usize = 400;
const RESTLESS: usize = 12;

/// What one client has heard, as it keeps it over all its sockets.
#[derive(Default)]
struct Heard {
    cursor: Option<String>,
    next: usize,
}

impl Heard {
    fn take(&mut self, frame: &Value) {
        if frame["type"] == "event" {
            assert_eq!(frame["event"]["content"], self.next.to_string(), "neither gap nor repeat");
            self.next += 1;
            self.cursor = frame["cur"].as_str().map(str::to_owned);
        }
    }

    /// Takes frames up to one of this type.
    async fn until(&mut self, socket: &mut Socket, kind: &str) {
        loop {
            let frame = socket.next().await;
            self.take(&frame);
            if frame["type"] == kind {
                return;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_and_goes_all_the_time_hears_everything_once() {
    let setup = Setup::new().await;
    // Some go below the floor meanwhile.
    let replica = setup.replica_with(|config| config.ring_bytes = 20_000).await;
    let address = replica.address;
    let first = replica.say(&setup.issuer.token("ada"), "first").await;
    let begin: Arc<str> = first["cursor"].as_str().unwrap().into();
    let mut tasks = JoinSet::new();
    for number in 0..RESTLESS {
        let (token, begin) = (setup.issuer.token(&format!("person-{number}")), Arc::clone(&begin));
        tasks.spawn(async move {
            let mut heard = Heard { cursor: Some(begin.to_string()), next: 0 };
            for round in number.. {
                let mut request = request_at(address);
                let value = format!("Bearer {token}").parse().unwrap();
                request.headers_mut().insert("authorization", value);
                let mut socket = Socket::open(request).await.unwrap();
                for _ in 0..3 {
                    let rooms = json!({ "lobby": heard.cursor });
                    socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
                    heard.until(&mut socket, "resumed").await;
                    if round % 2 == 0 && heard.next < SAID {
                        heard.until(&mut socket, "event").await;
                    }
                    if heard.next == SAID {
                        return;
                    }
                    socket.send(&json!({ "type": "unsubscribe", "rooms": ["lobby"] })).await;
                    // What was on its way comes before the answer to this, and nothing after it.
                    socket.send(&json!({ "type": "ping" })).await;
                    heard.until(&mut socket, "pong").await;
                }
                let rooms = json!({ "lobby": heard.cursor });
                socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
                // Gone in the middle of what comes now.
                drop(socket);
            }
        });
    }
    let mut speaker = replica.socket(&setup.issuer.token("ada")).await;
    for number in 0..SAID {
        let content = number.to_string();
        speaker
            .send(&json!({ "type": "send", "ref": "r", "room_id": "lobby", "content": content }))
            .await;
        speaker.expect("ack").await;
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}
