//! P6: from a request to the last of those who listen.

use std::time::Duration;

use anyhow::Result;

use super::bare::BareLog;
use super::publish::{Rate, publish};
use super::sample::request;
use super::site::Site;
use crate::load::p99_millis;
use crate::report::{Goal, Report};
use crate::wire::dialect::Dialect;
use crate::wire::socket::{Path, open_many};

/// Who listens.
const MEMBERS: usize = 100;

/// 1,000 messages: ten are above the 99th percentile.
const RATE: Rate = Rate { per_second: 50.0, burst: 1, lasting: Duration::from_secs(20) };

/// What is granted to a hundred sockets beside the log, in milliseconds.
const SOCKETS_MILLIS: f64 = 3.0;

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let bare = BareLog::new(site).await?;
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let (mut log, mut chat, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let echo = bare.echo(RATE.per_second, RATE.lasting).await?.p99_millis;
        let sockets =
            open_many(MEMBERS, replica.address, Dialect::Chat, &site.tokens, Path::Loopback)
                .await?;
        let requests = (0..RATE.messages()).zip(&site.tokens).map(|(n, token)| request(n, token));
        let hearing = publish(replica.address, sockets, requests.collect(), RATE).await?;
        hearing.ensure_whole()?;
        let last = p99_millis(hearing.last_latencies())?;
        log.push(echo);
        chat.push(last);
        ratios.push(last / (1.5 * echo + SOCKETS_MILLIS));
    }
    report.rounds("P6: bare log, to a consumer, p99", "ms", &log, Goal::None)?;
    report.rounds("P6: request to the last of 100 sockets, p99", "ms", &chat, Goal::None)?;
    report.rounds("P6: last socket / (1.5 × log + 3 ms)", "ratio", &ratios, Goal::AtMost(0.7))?;
    replica.stop().await?;
    site.forget(&place).await
}
