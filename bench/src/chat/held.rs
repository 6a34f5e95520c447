//! P9: what clients that take nothing cost in memory: above the ring's floor, where they share what is there
//! anyway, and below it, where each holds a page of the archive.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chat_api::message::{Cursor, Partition, Position};
use tokio::time::{Instant, sleep};

use super::publish::{Rate, publish};
use super::sample::long_request;
use super::site::{Place, Replica, Site};
use crate::report::{Goal, Report};
use crate::wire::dialect::{Dialect, subscribe};
use crate::wire::socket::{HANG, Path, Socket, open_many};

/// Clients that take nothing: together they cost some twenty megabytes. Many who read at once leave a process
/// with two to four, whoever they are: of fewer clients that would be a large part of each one's share.
const HELD: u16 = 400;

/// What is granted to one, in KiB: the page that it is at, with what its socket needs to wait …
const PIECE: f64 = 16.0;
/// … and below the ring's floor a page of the archive more.
const PAGE: f64 = 64.0;

/// Messages of one length. The ring of a partition holds 1 MiB, and the kernel about 100 KiB for each client of
/// these before the server notices anything.
struct Messages {
    name: &'static str,
    /// Bytes of content.
    content: usize,
    /// As many as the ring holds, and several times what the kernel takes.
    above: u32,
    /// So many more than the ring holds that [`HELD`] clients begin each at a message of its own and come to a
    /// stop below the floor.
    below: u32,
    /// A little below the floor then.
    near_floor: u16,
}

const LENGTHS: [Messages; 2] = [
    Messages { name: "2 KB", content: 2_000, above: 260, below: 1_000, near_floor: 500 },
    // As long as can be.
    Messages { name: "16 KiB", content: 16 << 10, above: 50, below: 520, near_floor: 440 },
];

/// Between two looks at how many pages were read, and how often they must show the same: what the archive is
/// too busy for is asked again after 500 ms.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
const SAME: u32 = 4;

/// Longer than pages are kept for others.
const FORGOTTEN: Duration = Duration::from_secs(1);

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let mut found = LENGTHS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for (messages, (above, below)) in LENGTHS.iter().zip(&mut found) {
            let grown = grown_above(site, messages, HELD).await?;
            above.push(each(grown - grown_above(site, messages, 0).await?));
            let grown = grown_below(site, messages, HELD).await?;
            below.push(each(grown - grown_below(site, messages, 0).await?));
        }
    }
    for (Messages { name, .. }, (above, below)) in LENGTHS.iter().zip(&found) {
        let what = format!("P9: memory of a stalled client, {name} messages");
        report.rounds(&what, "KiB", above, Goal::AtMost(PIECE))?;
        report.rounds(what + ", below the ring", "KiB", below, Goal::AtMost(PIECE + PAGE))?;
    }
    Ok(())
}

/// The share of one client, in KiB.
fn each(bytes: f64) -> f64 {
    bytes / f64::from(HELD) / 1024.0
}

/// What the process grows by while that many clients take nothing of what is said, in bytes.
async fn grown_above(site: &Site, messages: &Messages, held: u16) -> Result<f64> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let (address, tokens) = (replica.address, &site.tokens);
    let sockets = open_many(held.into(), address, Dialect::Chat, tokens, Path::Narrow).await?;
    let before = replica.memory()?;
    // 7 s at most, and only after 15 s without progress is a connection cut.
    say(site, &place, &replica, messages.content, (messages.above, 40.0)).await?;
    let grown = replica.memory()? - before;
    ensure_open(&replica, held).await?;
    drop(sockets);
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(grown)
}

/// What the process grows by while that many clients come back from below the ring's floor and take nothing, in
/// bytes.
async fn grown_below(site: &Site, messages: &Messages, held: u16) -> Result<f64> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    say(site, &place, &replica, messages.content, (messages.below, 200.0)).await?;
    let mut sockets = Vec::new();
    for token in site.tokens.iter().take(held.into()) {
        sockets.push(ready(&replica, token, Path::Narrow).await?);
    }
    let before = replica.memory()?;
    for (n, socket) in (0..).zip(&mut sockets) {
        // From a message of its own on: a page that several are at is held once.
        socket.say(subscribe(Some(&cursor(site, n)?))).await?;
    }
    settled(&replica).await?;
    // Whoever reads a page now has the pages forgotten that were kept for others.
    sleep(FORGOTTEN).await;
    let token = site.tokens.last().context("there are people")?;
    let mut visitor = ready(&replica, token, Path::Loopback).await?;
    visitor.say(subscribe(Some(&cursor(site, messages.near_floor)?))).await?;
    visitor.wait_for("\"type\":\"resumed\"").await?;
    let grown = replica.memory()? - before;
    ensure_open(&replica, held + 1).await?;
    drop(sockets);
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(grown)
}

/// Says so many messages of that many bytes, at so many a second, and waits until one who listened has them
/// and the archive, too.
async fn say(
    site: &Site,
    place: &Place,
    replica: &Replica,
    content: usize,
    (count, per_second): (u32, f64),
) -> Result<()> {
    let lasting = Duration::from_secs_f64(f64::from(count) / per_second);
    let rate = Rate { per_second, burst: 1, lasting };
    let (address, tokens) = (replica.address, &site.tokens);
    let listener = open_many(1, address, Dialect::Chat, tokens, Path::Loopback).await?;
    let requests = (0..count).zip(tokens).map(|(n, token)| long_request(n, token, content));
    publish(address, listener, requests.collect(), rate).await?.ensure_whole()?;
    site.archived_all(place, count.into()).await
}

/// A socket that has heard that it is ready, and nothing else.
async fn ready(replica: &Replica, token: &str, path: Path) -> Result<Socket> {
    let mut socket = Socket::open(replica.address, Dialect::Chat, Some(token), path).await?;
    socket.wait_for("\"type\":\"ready\"").await?;
    Ok(socket)
}

/// The cursor of the `n`th message of a place.
fn cursor(site: &Site, n: u16) -> Result<String> {
    let partition = Partition::from_number(site.sample()?.partition)?;
    Ok(Cursor { partition, position: Position::from_raw(n.into())? }.to_string())
}

/// Waits until no more pages are read.
async fn settled(replica: &Replica) -> Result<()> {
    let deadline = Instant::now() + HANG;
    let (mut last, mut same) = (archive_reads(replica).await?, 0);
    while same < SAME {
        ensure!(Instant::now() < deadline, "pages are read for ever");
        sleep(LOOK_AGAIN).await;
        let now = archive_reads(replica).await?;
        same = if now.total_cmp(&last).is_eq() { same + 1 } else { 0 };
        last = now;
    }
    Ok(())
}

async fn archive_reads(replica: &Replica) -> Result<f64> {
    replica.metric("chat_archive_reads_total").await
}

/// None of them may have been closed meanwhile.
async fn ensure_open(replica: &Replica, sockets: u16) -> Result<()> {
    let open = replica.metric("chat_connections").await?;
    ensure!(open >= f64::from(sockets), "{open} sockets are open instead of {sockets}");
    Ok(())
}
