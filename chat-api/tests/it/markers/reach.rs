//! Whom a marker reaches

use reqwest::Method;
use serde_json::{Value, json};

use super::{applied, are, is_told_nothing, listener, mark, room, say, told, unchanged};
use crate::setup::records::held;
use crate::setup::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn every_device_of_every_member_is_told_on_every_replica_and_nobody_goes_back() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = room(&setup, &[&one, &two], "group", &["bob"]).await;
    let first = say(&one, &ada, &room, "first").await;
    let second = say(&one, &ada, &room, "second").await;
    let mut sockets = Vec::new();
    for (replica, token) in [(&one, &ada), (&two, &ada), (&one, &bob), (&two, &bob)] {
        sockets.push(listener(replica, token, &room).await);
    }
    assert_eq!(mark(&one, &bob, &room, &first).await, applied(&first));
    for socket in &mut sockets {
        assert_eq!(told(socket, &room).await, ("bob".to_owned(), first.clone()));
    }
    // The other device is further.
    assert_eq!(mark(&two, &bob, &room, &second).await, applied(&second));
    for socket in &mut sockets {
        assert_eq!(told(socket, &room).await, ("bob".to_owned(), second.clone()));
    }
    for replica in [&one, &two] {
        assert_eq!(mark(replica, &bob, &room, &first).await, unchanged(&second), "not back");
        assert_eq!(mark(replica, &bob, &room, &second).await, unchanged(&second));
        are(replica, &ada, &room, &[("ada", &second), ("bob", &second)]).await;
    }
    for socket in &mut sockets {
        is_told_nothing(socket).await;
    }
    assert_eq!(held(&setup, &setup.log.markers()), 2, "what changes nothing is not written");

    let fresh = setup.replica().await;
    assert_eq!(mark(&fresh, &bob, &room, &first).await, unchanged(&second), "out of the archive");
    assert_eq!(held(&setup, &setup.log.markers()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_sets_a_marker_and_is_answered_only_if_it_is_refused() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = room(&setup, &[&replica], "group", &["bob"]).await;
    let said = say(&replica, &ada, &room, "first").await;
    let mut of_ada = listener(&replica, &ada, &room).await;
    let mut phone = replica.socket(&bob).await;
    phone.send(&json!({ "type": "read", "room_id": room, "cursor": said })).await;
    assert_eq!(told(&mut of_ada, &room).await, ("bob".to_owned(), said.clone()));
    is_told_nothing(&mut phone).await;
    are(&replica, &bob, &room, &[("ada", &said), ("bob", &said)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_is_in_the_room_is_told() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = |who: &str| setup.issuer.token(who);
    let (ada, bob, cid, eve) = (token("ada"), token("bob"), token("cid"), token("eve"));
    let room = room(&setup, &[&replica], "public", &["bob", "cid"]).await;
    let first = say(&replica, &ada, &room, "first").await;
    let mut of_ada = listener(&replica, &ada, &room).await;
    let mut of_bob = listener(&replica, &bob, &room).await;
    let mut of_eve = listener(&replica, &eve, &room).await;
    assert_eq!(mark(&replica, &cid, &room, &first).await, applied(&first));
    for socket in [&mut of_ada, &mut of_bob] {
        assert_eq!(told(socket, &room).await, ("cid".to_owned(), first.clone()));
    }
    is_told_nothing(&mut of_eve).await;

    // Who is put out hears a public room as everybody does, and is not told that any more.
    let path = format!("/v1/rooms/{room}/members/bob");
    let gone = super::call(&replica, &ada, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(gone.status(), 200);
    eventually("he hears it again", async || {
        of_bob.send(&json!({ "type": "subscribe", "rooms": { room.as_str(): null } })).await;
        loop {
            match of_bob.next().await["type"].as_str()? {
                "resumed" => return Some(()),
                "event" => {}
                _ => return None,
            }
        }
    })
    .await;
    let second = say(&replica, &ada, &room, "second").await;
    assert_eq!(mark(&replica, &cid, &room, &second).await, applied(&second));
    assert_eq!(told(&mut of_ada, &room).await, ("cid".to_owned(), second.clone()));
    for socket in [&mut of_bob, &mut of_eve] {
        is_told_nothing(socket).await;
    }
    are(&replica, &ada, &room, &[("ada", &second), ("cid", &second)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_lobby_ones_marker_is_for_ones_own_devices() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let said = say(&one, &ada, "lobby", "first").await;
    let mut of_ada = listener(&two, &ada, "lobby").await;
    let mut of_bob = listener(&two, &bob, "lobby").await;
    eventually("the other replica has read it", async || {
        let path = "/v1/messages?limit=1";
        let asked = two.http.get(two.url(path)).bearer_auth(&ada).header("x-after", &said);
        (asked.send().await.ok()?.status() == 200).then_some(())
    })
    .await;
    assert_eq!(mark(&one, &bob, "lobby", &said).await, applied(&said));
    assert_eq!(told(&mut of_bob, "lobby").await, ("bob".to_owned(), said.clone()));
    is_told_nothing(&mut of_ada).await;
    are(&two, &bob, "lobby", &[("bob", &said)]).await;
    are(&two, &ada, "lobby", &[("ada", &said)]).await;
}
