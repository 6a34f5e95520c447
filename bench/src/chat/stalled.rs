//! P9: what the others notice of clients that take nothing.

use std::time::Duration;

use anyhow::Result;

use super::publish::{Rate, publish};
use super::sample::long_request;
use super::site::Site;
use crate::load::p99_millis;
use crate::report::{Goal, Report};
use crate::wire::dialect::Dialect;
use crate::wire::socket::{Path, open_many};

/// Everybody in the room; a tenth of them takes nothing.
const MEMBERS: usize = 1_000;
const STALLED: usize = MEMBERS / 10;

/// 13 s: the kernel's buffers are full after some of them, and only after 15 s without progress is
/// a connection cut.
const RATE: Rate = Rate { per_second: 20.0, burst: 1, lasting: Duration::from_secs(13) };

/// Bytes of a message, so that 260 of them are far more than the buffers hold.
const CONTENT: usize = 2_000;

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let none = others_p99(site, 0).await?;
        let some = others_p99(site, STALLED).await?;
        ratios.push(some / none);
        without.push(none);
        with.push(some);
    }
    report.rounds("P9: delivery to 1,000, none stalled, p99", "ms", &without, Goal::None)?;
    report.rounds("P9: delivery to 900, 100 stalled, p99", "ms", &with, Goal::None)?;
    report.rounds("P9: with / without", "ratio", &ratios, Goal::AtMost(1.1))
}

/// Of deliveries to those who take everything, in milliseconds.
async fn others_p99(site: &Site, stalled: usize) -> Result<f64> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let (address, tokens) = (replica.address, &site.tokens);
    let held = open_many(stalled, address, Dialect::Chat, tokens, Path::Narrow).await?;
    let reading = MEMBERS - stalled;
    let sockets = open_many(reading, address, Dialect::Chat, tokens, Path::Loopback).await?;
    let requests = (0..RATE.messages()).zip(tokens);
    let requests = requests.map(|(n, token)| long_request(n, token, CONTENT));
    let hearing = publish(address, sockets, requests.collect(), RATE).await?;
    hearing.ensure_whole()?;
    let p99 = p99_millis(hearing.latencies())?;
    // Until here nobody read from them.
    drop(held);
    drop(hearing);
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(p99)
}
