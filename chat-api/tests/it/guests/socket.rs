//! What a guest hears, and how the socket ends

use std::time::Duration;

use serde_json::json;

use super::{enter, open};
use crate::setup::Setup;
use crate::setup::room::beginning;

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_hears_the_lobby_live_and_from_a_cursor_on() {
    for ring_bytes in [1 << 20, 500] {
        let setup = Setup::new().await;
        let change = |config: &mut chat_api::config::Config| {
            open(config);
            config.ring_bytes = ring_bytes;
        };
        let replica = setup.replica_with(change).await;
        let token = setup.issuer.token("ada");
        for number in 0..10 {
            replica.say(&token, &number.to_string()).await;
        }
        setup.stored_count(10).await;
        let mut socket = enter(&replica).await;
        let (before, resumed) = socket.subscribe(Some(&beginning())).await;
        let contents: Vec<_> = before.iter().map(|event| &event["event"]["content"]).collect();
        assert_eq!(contents, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        replica.say(&token, "live").await;
        assert_eq!(socket.contents(1).await, ["live"]);

        // Elsewhere, from where it was.
        let mut socket = enter(&setup.replica_with(open).await).await;
        let (missed, _) = socket.subscribe(resumed["upto"].as_str()).await;
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0]["event"]["content"], "live");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guests_socket_is_pinged_and_no_time_ends_it() {
    let setup = Setup::new().await;
    let change = |config: &mut chat_api::config::Config| {
        open(config);
        config.timeouts.ping_every = Duration::from_millis(20);
        config.timeouts.before_expiry = Duration::ZERO;
        config.timeouts.after_expiry = Duration::ZERO;
    };
    let replica = setup.replica_with(change).await;
    let mut socket = enter(&replica).await;
    let mut pings = 0;
    while pings < 20 {
        let message = futures_util::StreamExt::next(&mut socket.stream).await.unwrap().unwrap();
        assert!(message.is_ping(), "{message:?}");
        pings += 1;
    }
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_told_of_a_drain_and_closed_with_the_others() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let mut socket = enter(&replica).await;
    socket.subscribe(None).await;
    let mut silent = enter(&replica).await;
    replica.ask_to_stop();
    for socket in [&mut socket, &mut silent] {
        assert!(socket.expect("drain").await["after"].is_u64());
        assert_eq!(socket.closed().await.0, 4001);
    }
    assert_eq!(replica.stop().await, std::process::ExitCode::SUCCESS);
}
