//! P10: everybody comes back at once, and wants what was said meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::sample::{MESSAGES, body, request};
use super::site::{Replica, Site};
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::{Dialect, subscribe};
use crate::wire::http::{Pool, post};
use crate::wire::listeners::mark;
use crate::wire::socket::{HANG, Path, Socket, open_many};

/// Clients that come back after a moment: what they missed is in memory.
const CLIENTS: usize = 5_000;

/// Clients that come back later: each is owed a megabyte that it does not take any more.
const LATE: usize = 500;

/// What each of them missed.
const MISSED: u32 = 20;

/// The ring of a partition holds 1 MiB: these are more, with messages as long as can be.
const LONG_MESSAGES: u32 = 100;
const LONG: usize = 16_000;

pub(super) async fn run(report: &mut Report, site: &Site) -> Result<()> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let pool = Pool::open(replica.address, 1).await?;
    let mut watcher = watcher(site, &replica).await?;
    let mut say = async |n: u32, request: Vec<u8>| -> Result<String> {
        pool.ask(&request, 202).await?;
        cursor(&watcher.wait_for(&mark(n)).await?)
    };
    let token = |n: u32| site.tokens[n as usize % site.tokens.len()].as_str();

    let left = say(0, request(0, token(0))).await?;
    for n in 1..=MISSED {
        say(n, request(n, token(n))).await?;
    }
    let before = archive_reads(&replica).await?;
    let events = come_back(site, &replica, CLIENTS, Path::Loopback, &left).await?;
    let reads = archive_reads(&replica).await? - before;
    report.once("P10: events that 5,000 clients missed", "", count(events), Goal::None)?;
    report.once("P10: archive reads for them, one room", "", reads, Goal::AtMost(1.0))?;

    for n in MISSED + 1..=MISSED + LONG_MESSAGES {
        let content = format!("{} {}", mark(n), "x".repeat(LONG));
        say(n, post(MESSAGES, Some(token(n)), &body(&content))).await?;
    }
    // The first message of all, too.
    site.archived_all(&place, u64::from(MISSED + LONG_MESSAGES) + 1).await?;
    let before = archive_reads(&replica).await?;
    let events = come_back(site, &replica, LATE, Path::Narrow, &left).await?;
    let reads = archive_reads(&replica).await? - before;
    report.once("P10: events below the ring, 500 clients", "", count(events), Goal::None)?;
    report.once("P10: archive reads for them, one room", "", reads, Goal::None)?;
    replica.stop().await?;
    site.forget(&place).await
}

async fn watcher(site: &Site, replica: &Replica) -> Result<Socket> {
    let sockets =
        open_many(1, replica.address, Dialect::Chat, &site.tokens, Path::Loopback).await?;
    sockets.into_iter().next().context("one socket was opened")
}

fn cursor(event: &str) -> Result<String> {
    let event: serde_json::Value = serde_json::from_str(event)?;
    Ok(event["cur"].as_str().context("an event has its cursor")?.to_owned())
}

async fn archive_reads(replica: &Replica) -> Result<f64> {
    replica.metric("chat_archive_reads_total").await
}

/// Lets this many clients subscribe from a cursor, all at once, and tells how many events they got:
/// each the ones it missed, each once.
async fn come_back(
    site: &Site,
    replica: &Replica,
    clients: usize,
    path: Path,
    cursor: &str,
) -> Result<usize> {
    let open = |n: usize| {
        let token = site.tokens[n % site.tokens.len()].as_str();
        Socket::open(replica.address, Dialect::Chat, Some(token), path)
    };
    let mut sockets = Vec::with_capacity(clients);
    for n in (0..clients).step_by(64) {
        let opened = try_join_all((n..clients.min(n + 64)).map(open)).await?;
        sockets.extend(opened);
    }
    let subscribe: Arc<str> = subscribe(Some(cursor)).into();
    let mut resuming = JoinSet::new();
    for socket in sockets {
        resuming.spawn(resume(socket, Arc::clone(&subscribe)));
    }
    let (mut events, mut open) = (0, Vec::with_capacity(clients));
    while let Some(resumed) = resuming.join_next().await {
        let (socket, got) = resumed??;
        ensure!(got == MISSED as usize, "a client got {got} events of {MISSED}");
        events += got;
        open.push(socket);
    }
    Ok(events)
}

/// How many different events it got: it takes no more than it missed.
async fn resume(mut socket: Socket, subscribe: Arc<str>) -> Result<(Socket, usize)> {
    socket.wait_for("\"type\":\"ready\"").await?;
    socket.say(subscribe.as_ref().to_owned()).await?;
    let mut ids = HashSet::new();
    for _ in 0..MISSED {
        let event = timeout(HANG, socket.wait_for("\"type\":\"event\"")).await??;
        let event: serde_json::Value = serde_json::from_str(&event)?;
        let id = event["event"]["message_id"].as_str().context("an event has an id")?;
        ids.insert(id.to_owned());
    }
    Ok((socket, ids.len()))
}
