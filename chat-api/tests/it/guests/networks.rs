//! Guests are limited by the network that they come from, and limit nobody else

use std::num::NonZeroU32;

use chat_api::rate::Rate;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{REAL_IP, ask, behind_a_proxy, enter, enter_from, get, knock_from, open};
use crate::setup::program::Alone;
use crate::setup::socket::{Socket, request, request_at};
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// Sockets that one network has.
const PLACES: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn the_twenty_first_guest_of_a_network_waits_until_one_leaves() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(behind_a_proxy).await;
    let mut sockets = Vec::new();
    for host in 0..PLACES {
        // One subscriber has all of these addresses.
        sockets.push(enter_from(&replica, &format!("2001:db8::{host:x}")).await);
    }
    let (code, reason) = knock_from(&replica, "2001:db8::ffff").await.closed().await;
    assert_eq!(code, 4029, "{reason}");
    assert!(reason.contains("network"), "{reason}");
    // Others are let in: of the neighbouring network, and people of the same.
    enter_from(&replica, "2001:db8:0:1::1").await;
    enter_from(&replica, "203.0.113.7").await;
    let mut person = request(&replica);
    person.headers_mut().insert(REAL_IP, "2001:db8::1".parse().unwrap());
    let token = format!("Bearer {}", setup.issuer.token("ada"));
    person.headers_mut().insert("authorization", token.parse().unwrap());
    Socket::open(person).await.unwrap().expect("ready").await;
    // Those who are there stay.
    for socket in &mut sockets {
        socket.send(&json!({ "type": "ping" })).await;
        socket.expect("pong").await;
    }
    sockets.pop();
    eventually("there is a place again", async || {
        let mut socket = knock_from(&replica, "2001:db8::ffff").await;
        let message = futures_util::StreamExt::next(&mut socket.stream).await?.ok()?;
        message.is_text().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_guests_at_the_same_moment_twenty_are_let_in() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let knocks = (0..3 * PLACES).map(|_| async {
        let mut socket = Socket::connect(&replica, None).await;
        socket.send(&json!({ "type": "auth", "guest": true })).await;
        let message = futures_util::StreamExt::next(&mut socket.stream).await.unwrap().unwrap();
        (message.is_text(), socket)
    });
    let knocked = join_all(knocks).await;
    let let_in = knocked.iter().filter(|(is_in, _)| *is_in).count();
    assert_eq!(let_in, PLACES);
    for (is_in, mut socket) in knocked {
        if is_in {
            socket.send(&json!({ "type": "ping" })).await;
            socket.expect("pong").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_counted_where_they_come_from_and_nowhere_else() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(behind_a_proxy).await;
    // The proxy does not say, says something else, or says it twice: nobody can be counted.
    for said in [
        &[][..],
        &["nonsense"],
        &["127.0.0.1"],
        &["203.0.113.7", "203.0.113.7"],
        &["203.0.113.7, 10.0.0.1"],
    ] {
        let mut read = ask(&replica, Method::GET, "/v1/messages");
        let mut socket = request(&replica);
        for address in said {
            read = read.header(REAL_IP, *address);
            socket.headers_mut().append(REAL_IP, address.parse().unwrap());
        }
        assert_problem(read.send().await.unwrap(), 401, "missing-token").await;
        let mut socket = Socket::open(socket).await.unwrap();
        socket.send(&json!({ "type": "auth", "guest": true })).await;
        assert_eq!(socket.closed().await.0, 4500, "{said:?}");
    }
    let told = ask(&replica, Method::GET, "/v1/messages").header(REAL_IP, "203.0.113.7");
    assert_eq!(told.send().await.unwrap().status(), 200);

    // Without a proxy nobody's word counts, so that nobody chooses a network.
    let direct = setup.replica_with(open).await;
    let mut sockets = Vec::new();
    for host in 0..PLACES {
        sockets.push(enter_from(&direct, &format!("203.0.113.{host}")).await);
    }
    assert_eq!(knock_from(&direct, "198.51.100.1").await.closed().await.0, 4029);
}

/// A burst of five, and one a second.
fn slow() -> Rate {
    let number = |number| NonZeroU32::new(number).unwrap();
    Rate { per_second: number(1), burst: number(5) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guests_of_a_network_share_its_reads_and_take_nobody_elses() {
    let setup = Setup::new().await;
    let change = |config: &mut chat_api::config::Config| {
        behind_a_proxy(config);
        config.reads = slow();
    };
    let replica = setup.replica_with(change).await;
    let read_from = async |address: &str| {
        let request = ask(&replica, Method::GET, "/v1/messages?limit=1").header(REAL_IP, address);
        request.send().await.unwrap()
    };
    let mut refused = 0;
    for host in 0..20 {
        let response = read_from(&format!("2001:db8::{host:x}")).await;
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "1");
            assert_problem(response, 429, "rate-limited").await;
            refused += 1;
        }
    }
    // One comes back each second, and they do not take so long.
    assert!(refused > 2, "{refused} were refused");
    assert_eq!(read_from("2001:db8:0:1::1").await.status(), 200);
    let person = ask(&replica, Method::GET, "/v1/messages").header(REAL_IP, "2001:db8::1");
    let person = person.bearer_auth(setup.issuer.token("ada")).send().await.unwrap();
    assert_eq!(person.status(), 200, "a person is no guest of the network");

    // What their sockets read back counts with it, and comes late instead.
    let mut socket = enter_from(&replica, "2001:db8::1").await;
    let cursor = crate::setup::room::beginning();
    for _ in 0..20 {
        socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": cursor } })).await;
    }
    loop {
        match socket.next().await["type"].as_str() {
            Some("behind") => break,
            Some("resumed") => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Opens a socket, says that it is a guest's, and is gone: before, in or after the answer.
async fn hang_up(replica: &Replica, number: usize) {
    if number.is_multiple_of(3) {
        let mut stream = TcpStream::connect(replica.address).await.unwrap();
        let head = "GET /v1/messages HTTP/1.1\r\nHost: chat.example\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        return;
    }
    let mut socket = Socket::connect(replica, None).await;
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    if number % 3 == 1 {
        socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": null } })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_who_hang_up_leave_their_places() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let numbers: Vec<usize> = (0..300).collect();
    for numbers in numbers.chunks(100) {
        join_all(numbers.iter().map(|number| hang_up(&replica, *number))).await;
    }
    let mut sockets = Vec::new();
    while sockets.len() < PLACES {
        let socket = eventually("there is a place again", async || {
            let mut socket = Socket::connect(&replica, None).await;
            socket.send(&json!({ "type": "auth", "guest": true })).await;
            let message = futures_util::StreamExt::next(&mut socket.stream).await?.ok()?;
            message.is_text().then_some(socket)
        })
        .await;
        sockets.push(socket);
    }
    let token = setup.issuer.token("ada");
    replica.say(&token, "hi").await;
    assert_eq!(get(&replica, "/v1/messages").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_are_counted_and_let_in_by_the_switch_of_the_program() {
    let setup = Setup::new().await;
    let alone = Alone::with(&setup, &[("CHAT_GUESTS", "on")]);
    let knock = async || {
        let mut socket = Socket::open(request_at(alone.address)).await.ok()?;
        socket.send(&json!({ "type": "auth", "guest": true })).await;
        socket.expect("ready").await;
        Some(socket)
    };
    let mut sockets = vec![eventually("it serves", knock).await];
    for _ in 0..4 {
        sockets.push(knock().await.unwrap());
    }
    alone.shows(&["chat_guests 5", "chat_connections 5"]).await;
    sockets.truncate(2);
    alone.shows(&["chat_guests 2", "chat_connections 2"]).await;

    let off = Alone::with(&setup, &[("CHAT_GUESTS", "off")]);
    eventually("it refuses", async || {
        let url = format!("http://{}/v1/messages", off.address);
        let response = off.http.get(url).send().await.ok()?;
        (response.status() == 401).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_full_is_full_at_this_replica_only() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica_with(open).await, setup.replica_with(open).await);
    let mut sockets = Vec::new();
    for _ in 0..PLACES {
        sockets.push(enter(&one).await);
    }
    enter(&two).await;
}
