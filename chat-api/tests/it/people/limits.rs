//! How much one person may look for others

use std::num::NonZeroU32;

use chat_api::rate::Rate;
use futures_util::future::join_all;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::{ids, is_known};
use crate::setup::{Replica, Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_a_read_and_who_reads_too_much_is_told() {
    let setup = Setup::new().await;
    let slow = |number| NonZeroU32::new(number).unwrap();
    let rate = Rate { per_second: slow(1), burst: slow(5) };
    let replica = setup.replica_with(|config| config.reads = rate).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let paths = ["/v1/users?q=ada", "/v1/users?ids=ada", "/v1/messages"];
    let mut refused = 0;
    for number in 0..20 {
        let response = replica.get(&ada, paths[number % 3]).await;
        if response.status() == 429 {
            assert_eq!(response.headers()["retry-after"], "1");
            assert_problem(response, 429, "rate-limited").await;
            refused += 1;
        }
    }
    // One comes back each second, and they do not take so long.
    assert!(refused > 2, "{refused} were refused");
    assert_eq!(replica.get(&bob, "/v1/users?q=ada").await.status(), 200);
    for _ in 0..20 {
        assert_eq!(replica.get(&ada, "/v1/users/me").await.status(), 200, "that reads nothing");
    }
}

/// Asks for somebody and is gone before the answer.
async fn hang_up(replica: &Replica, token: &str, query: &str) {
    let mut stream = TcpStream::connect(replica.address).await.unwrap();
    let head = format!(
        "GET /v1/users?{query} HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_hang_up_keep_nobody_else_from_being_found() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.reads = Rate::READS).await;
    is_known(&setup, &replica, "ada", "Ada").await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let queries = ["q=a", "ids=ada,bob", "q=ada@example.org"];
    join_all((0..300).map(|number| hang_up(&replica, &ada, queries[number % 3]))).await;
    assert_eq!(ids(&replica, &bob, "ada").await, ["ada"]);
    is_known(&setup, &replica, "newcomer", "New Comer").await;
}
