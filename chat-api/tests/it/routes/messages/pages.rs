//! Pages of the history: how large they are, and where a time leads

use chat_api::message::{Cursor, Position, RoomId};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::setup::program::Alone;
use crate::setup::records::{Putter, envelope, partitioner};
use crate::setup::socket::{Socket, request_at};
use crate::setup::{Replica, Setup, eventually};

/// What a page may have.
const PAGE_BYTES: usize = 64 * 1024;

/// All pages from a path on, with their sizes.
async fn pages(replica: &Replica, token: &str, path: &str) -> Vec<(usize, Vec<Value>)> {
    let (mut pages, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let response = replica.get(token, &path).await;
        assert_eq!(response.status(), 200);
        next = response.headers().get("link").map(|link| {
            let link = link.to_str().unwrap().strip_prefix('<').unwrap();
            link.split_once('>').unwrap().0.to_owned()
        });
        let body = response.text().await.unwrap();
        pages.push((body.len(), serde_json::from_str(&body).unwrap()));
    }
    pages
}

fn number(message: &Value) -> usize {
    let content = message["content"].as_str().unwrap();
    content.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_64_kib_at_most_and_its_link_leads_to_the_rest() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    // Small ones, large ones, and some that JSON writes six times as large: each is a page by itself.
    let content = |number: usize| match number % 20 {
        0..4 => format!("{number} {}", "x".repeat(16_000)),
        4 => format!("{number} {}", "\u{1}".repeat(15_000)),
        _ => format!("{number} small"),
    };
    let mut last = json!(null);
    for number in 0..120 {
        last = replica.say(&token, &content(number)).await;
    }
    replica.includes(&token, last["cursor"].as_str().unwrap()).await;
    let beginning = Cursor { partition: Setup::lobby_partition(), position: Position::BEFORE_ALL };
    for (path, newest_first) in [
        ("/v1/messages?limit=200".to_owned(), true),
        (format!("/v1/messages?after={beginning}"), false),
    ] {
        let mut pages = pages(&replica, &token, &path).await;
        assert!(pages.len() > 6, "{path}: {} pages", pages.len());
        for (bytes, page) in &pages {
            assert!(*bytes <= PAGE_BYTES || page.len() == 1, "{bytes} bytes, {}", page.len());
        }
        if newest_first {
            pages.reverse();
        }
        let all: Vec<usize> = pages.iter().flat_map(|(_, page)| page.iter().map(number)).collect();
        assert_eq!(all, (0..120).collect::<Vec<_>>(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_behind_gets_pages_of_64_kib_and_everything() {
    const SAID: usize = 150;
    let setup = Setup::new().await;
    let alone = Alone::start(&setup);
    let putter = Putter::new(&setup);
    let padding = "x".repeat(16_000);
    (0..SAID).for_each(|number| putter.say(&RoomId::lobby(), &format!("{number} {padding}")));
    putter.flush();
    setup.stored_count(SAID).await;
    eventually("the fan-out has read it", async || {
        let read = alone.metrics().await?.lines().find_map(|line| {
            let count = line.strip_prefix("chat_fanout_records_total{outcome=\"new\"} ")?;
            count.parse::<usize>().ok()
        });
        (read? >= SAID).then_some(())
    })
    .await;

    let mut request = request_at(alone.address);
    let token = format!("Bearer {}", setup.issuer.token("ada")).parse().unwrap();
    request.headers_mut().insert("authorization", token);
    let mut socket = Socket::open(request).await.unwrap();
    socket.expect("ready").await;
    let beginning = Cursor { partition: Setup::lobby_partition(), position: Position::BEFORE_ALL };
    let (events, _) = socket.subscribe(Some(&beginning.to_string())).await;
    let heard: Vec<usize> = events.iter().map(|event| number(&event["event"])).collect();
    assert_eq!(heard, (0..SAID).collect::<Vec<_>>());
    // The ring holds 1 MiB, so 85 of them at least came out of the archive, four to a page.
    let metrics = alone.metrics().await.unwrap();
    let line = metrics.lines().find_map(|line| line.strip_prefix("chat_archive_reads_total "));
    let reads: usize = line.unwrap().parse().unwrap();
    assert!(reads >= 85 / 4, "{reads} pages");
}

/// A replica, and somebody who finds in its lobby what was said in this order, `stamps` milliseconds from
/// now.
async fn said_at(setup: &Setup, now: DateTime<Utc>, stamps: &[i64]) -> (Replica, String) {
    let (putter, lobby) = (Putter::new(setup), RoomId::lobby());
    for (place, stamp) in stamps.iter().enumerate() {
        let mut value = envelope(RoomId::LOBBY, &format!("{place} said"));
        value["timestamp"] = json!(shown(now + Duration::milliseconds(*stamp)));
        let (value, key) = (value.to_string(), lobby.as_str().as_bytes());
        putter.put(partitioner().of(&lobby), Some(key), Some(value.as_bytes()));
    }
    putter.flush();
    let last = Position::from_raw(i64::try_from(stamps.len()).unwrap() - 1).unwrap();
    let last = Cursor { partition: Setup::lobby_partition(), position: last };
    let (replica, token) = (setup.replica().await, setup.issuer.token("ada"));
    replica.includes(&token, &last.to_string()).await;
    (replica, token)
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Which places are before a time, and which from it on.
async fn sides(replica: &Replica, token: &str, time: DateTime<Utc>) -> [Vec<usize>; 2] {
    let time = shown(time);
    let side = async |bound: &str| {
        let response = replica.get(token, &format!("/v1/messages?limit=200&{bound}={time}")).await;
        let page: Vec<Value> = response.json().await.unwrap();
        page.iter().map(number).collect()
    };
    [side("before").await, side("after").await]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_leads_to_the_first_place_that_was_stamped_then_or_later() {
    let setup = Setup::new().await;
    let now = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
    let (long_ago, far_ahead, ahead) = (-50 * 365 * 86_400_000, 70 * 365 * 86_400_000, 3_600_000);
    // The second and third are in another order than their stamps, as are two of those at the end; the
    // others come from clocks that were wrong.
    let stamps = [
        -9_000, -8_349, -8_352, long_ago, -7_000, far_ahead, -6_000, ahead, -5_000, -3_000, -4_000,
    ];
    let (replica, token) = said_at(&setup, now, &stamps).await;
    let all = stamps.len();
    for (time, first) in [
        (Duration::milliseconds(-8_352), 1),
        (Duration::milliseconds(-8_349), 1),
        // Half a millisecond later.
        (Duration::microseconds(-8_348_500), 4),
        (Duration::milliseconds(-8_348), 4),
        (Duration::milliseconds(-9_000), 0),
        (Duration::milliseconds(-6_500), 6),
        (Duration::milliseconds(-5_500), 8),
        (Duration::milliseconds(-4_000), 9),
        (Duration::milliseconds(-2_999), all),
        (Duration::minutes(30), all),
        (Duration::days(365), all),
        // Of all places, the first was said after that, too.
        (Duration::milliseconds(long_ago), 0),
        (Duration::milliseconds(long_ago + 1), 0),
        (Duration::milliseconds(long_ago - 1), 0),
    ] {
        let expected = [(0..first).collect(), (first..all).collect::<Vec<_>>()];
        assert_eq!(sides(&replica, &token, now + time).await, expected, "{time}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_at_the_end_of_the_log_is_not_trusted_if_it_is_far_ahead() {
    let setup = Setup::new().await;
    let now = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
    let (replica, token) = said_at(&setup, now, &[-1_000, 120_000, 3_600_000]).await;
    let until = async |millis| sides(&replica, &token, now + Duration::milliseconds(millis)).await;
    assert_eq!(until(60_000).await, [vec![0], vec![1, 2]], "clocks may differ a little");
    assert_eq!(until(1_200_000).await, [vec![0, 1, 2], vec![]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_clock_at_the_end_of_the_log_hides_nothing_before_it() {
    let setup = Setup::new().await;
    let now = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
    let stamps = [-3_000, -2_000, -50 * 365 * 86_400_000];
    let (replica, token) = said_at(&setup, now, &stamps).await;
    let time = now - Duration::milliseconds(2_500);
    assert_eq!(sides(&replica, &token, time).await, [vec![0], vec![1, 2]]);
}
