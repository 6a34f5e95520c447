//! How near the way from the log to the archive comes to the driver's bare `insert_many` when more happens than messages.

use std::time::Duration;

use anyhow::{Result, ensure};
use mongodb::bson::doc;
use tokio::time::{Instant, sleep};

use crate::ceilings::Mixed;
use crate::chat::bare::{Mixture, insert, mix};
use crate::chat::site::{Place, Site};
use crate::report::{Goal, Report};
use crate::stats::count;

/// Forty thousand records: of each room four of members, eight edits, and messages.
const MIXTURE: Mixture = Mixture { rooms: 1_000, records: 40 };
const DOCUMENTS: u32 = 40_000;

/// The beginning is not measured: a replica that starts reads the log for its sockets, too.
const BEGINNING: u64 = 8_000;

/// Between two looks at how far the archive is.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// After that an archive that is not full is broken.
const HANG: Duration = Duration::from_mins(3);

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let (mut inserted, mut archived, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let place = site.place().await?;
        let rate = insert(site, &place, DOCUMENTS).await?.per_second();
        site.forget(&place).await?;
        let place = site.place().await?;
        let mixed = mix(site, &place, &MIXTURE).await?;
        let ours = archive(site, &place, mixed).await?;
        site.forget(&place).await?;
        inserted.push(rate);
        archived.push(ours);
        ratios.push(ours / rate);
    }
    report.rounds("bare insert_many, batches of 1,000", "1/s", &inserted, Goal::None)?;
    report.rounds("records archived, of 1,000 rooms", "1/s", &archived, Goal::None)?;
    report.rounds("records archived / bare", "ratio", &ratios, Goal::None)
}

/// Starts a replica in front of a full log: records a second that come into the archive, a document each.
async fn archive(site: &Site, place: &Place, mixed: Mixed) -> Result<f64> {
    let all = mixed.messages + mixed.edits + mixed.members;
    let replica = site.serve(place).await?;
    let deadline = Instant::now() + HANG;
    let mut begin = None;
    let (records, seconds) = loop {
        let now = Instant::now();
        let archived = site.archived(place).await? + changes(site, place).await?;
        if archived >= all {
            let (from, since) = begin.unwrap_or((0, now));
            break (archived - from, (now - since).as_secs_f64());
        }
        if begin.is_none() && archived >= BEGINNING {
            begin = Some((archived, now));
        }
        ensure!(now < deadline, "only {archived} of {all} records are archived");
        sleep(LOOK_AGAIN).await;
    };
    // Each once, and every proposal counts.
    site.archived_all(place, mixed.messages).await?;
    let database = site.database(place);
    let changes = database.collection::<mongodb::bson::Document>("changes");
    let accepted = changes.count_documents(doc! { "verdict": "accepted" }).await?;
    let edits = changes.count_documents(doc! { "type": "edit" }).await?;
    ensure!(
        (accepted, edits) == (mixed.members, mixed.edits),
        "{accepted} changes of members and {edits} edits are archived of {mixed:?}"
    );
    replica.stop().await?;
    Ok(count(usize::try_from(records)?) / seconds)
}

async fn changes(site: &Site, place: &Place) -> Result<u64> {
    let changes = site.database(place).collection::<mongodb::bson::Document>("changes");
    Ok(changes.estimated_document_count().await?)
}
