//! P8: how near the way from the log to the archive comes to the driver's bare `insert_many`.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep};

use super::bare::{BareLog, insert};
use super::site::{Place, Site};
use crate::report::{Goal, Report};
use crate::stats::count;

/// Messages of one measurement: some seconds of work.
const MESSAGES: u32 = 200_000;

/// The beginning is not measured: a replica that starts reads the log for its sockets, too.
const BEGINNING: u32 = 40_000;

/// Between two looks at how far the archive is.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// After that an archive that is not full is broken.
const HANG: Duration = Duration::from_mins(3);

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let bare = BareLog::new(site).await?;
    let (mut inserted, mut archived, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let place = site.place().await?;
        let rate = insert(site, &place, MESSAGES).await?.per_second();
        site.forget(&place).await?;
        let place = site.place().await?;
        bare.fill(&place, MESSAGES).await?;
        let ours = archive(site, &place).await?;
        site.forget(&place).await?;
        inserted.push(rate);
        archived.push(ours);
        ratios.push(ours / rate);
    }
    report.rounds("P8: bare insert_many, batches of 1,000", "1/s", &inserted, Goal::None)?;
    report.rounds("P8: messages archived", "1/s", &archived, Goal::None)?;
    report.rounds("P8: archived / bare", "ratio", &ratios, Goal::AtLeast(0.8))
}

/// Starts a replica in front of a full log: messages a second that come into the archive.
async fn archive(site: &Site, place: &Place) -> Result<f64> {
    let replica = site.serve(place).await?;
    let deadline = Instant::now() + HANG;
    let mut begin = None;
    let (messages, seconds) = loop {
        let now = Instant::now();
        let archived = site.archived(place).await?;
        if archived >= u64::from(MESSAGES) {
            let (from, since) = begin.unwrap_or((0, now));
            break (archived - from, (now - since).as_secs_f64());
        }
        if begin.is_none() && archived >= u64::from(BEGINNING) {
            begin = Some((archived, now));
        }
        ensure!(now < deadline, "only {archived} messages are archived");
        sleep(LOOK_AGAIN).await;
    };
    // Each once, and none is left out.
    site.archived_all(place, u64::from(MESSAGES)).await?;
    replica.stop().await?;
    Ok(count(usize::try_from(messages)?) / seconds)
}
