//! P9: clients that take nothing, and what the others notice of them.

use std::time::Duration;

use anyhow::Result;

use super::publish::{Rate, publish};
use super::sample::{MESSAGES, body};
use super::site::Site;
use crate::load::p99_millis;
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::Dialect;
use crate::wire::http::post;
use crate::wire::listeners::mark;
use crate::wire::socket::{Path, open_many};

/// Everybody in the room; a tenth of them takes nothing.
const MEMBERS: usize = 1_000;
const STALLED: usize = MEMBERS / 10;

/// 13 s: the kernel's buffers are full after some of them, and only after 15 s without progress is
/// a connection cut.
const RATE: Rate = Rate { per_second: 20.0, burst: 1, lasting: Duration::from_secs(13) };

/// Bytes of a message, so that 260 of them are far more than the buffers hold.
const CONTENT: usize = 2_000;

/// The figures of one run.
struct StalledFigures {
    /// Of those who take everything, in milliseconds.
    p99: f64,
    /// What the process grew by while messages came, in bytes.
    growth: f64,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut kibibytes = Vec::new();
    for _ in 0..rounds {
        let none = measure(site, 0).await?;
        let some = measure(site, STALLED).await?;
        ratios.push(some.p99 / none.p99);
        kibibytes.push((some.growth - none.growth) / count(STALLED) / 1024.0);
        without.push(none.p99);
        with.push(some.p99);
    }
    report.rounds("P9: delivery to 1,000, none stalled, p99", "ms", &without, Goal::None)?;
    report.rounds("P9: delivery to 900, 100 stalled, p99", "ms", &with, Goal::None)?;
    report.rounds("P9: with / without", "ratio", &ratios, Goal::AtMost(1.2))?;
    report.rounds("P9: memory of a stalled client", "KiB", &kibibytes, Goal::AtMost(64.0))
}

async fn measure(site: &Site, stalled: usize) -> Result<StalledFigures> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let (address, tokens) = (replica.address, &site.tokens);
    let held = open_many(stalled, address, Dialect::Chat, tokens, Path::Narrow).await?;
    let reading = MEMBERS - stalled;
    let sockets = open_many(reading, address, Dialect::Chat, tokens, Path::Loopback).await?;
    let requests = (0..RATE.messages()).zip(tokens).map(|(n, token)| {
        let content = format!("{} {}", mark(n), "x".repeat(CONTENT));
        post(MESSAGES, Some(token), &body(&content))
    });
    let before = replica.memory()?;
    let hearing = publish(address, sockets, requests.collect(), RATE).await?;
    let growth = replica.memory()? - before;
    hearing.ensure_whole()?;
    let p99 = p99_millis(hearing.latencies())?;
    // Until here nobody read from them.
    drop(held);
    drop(hearing);
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(StalledFigures { p99, growth })
}
