//! What befalls the archive.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::console::say;
use devstack::part::Part;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use crate::chat::LOBBY;
use crate::chat::place::Place;
use crate::faults::crew::{Crew, Members, Report, Talk};
use crate::faults::disturb::{self, Blow, POISONS};
use crate::faults::scale::Scale;
use crate::faults::stage::{REPLICAS, Stage};
use crate::wait::{until, until_after};

/// More than a batch waits to be full: between two of them there is one.
const BATCH: Duration = Duration::from_millis(60);
/// How often a moment between documents and progress is looked for.
const MOMENTS: usize = 100;
/// A killed member of a group keeps its share for 10 s.
const SHARE: Duration = Duration::from_mins(1);
/// More than a hub keeps in memory, in messages.
const BELOW_THE_FLOOR: i64 = 8_000;

pub(super) async fn kills(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let crew = Crew::gather(stage, people).await?;
    let mut random = StdRng::seed_from_u64(stage.seed);
    let (kills, mut amid) = (scale.of(2, 50), 0_u32);
    crew.speak_while(&Talk::lively(people), async {
        for _ in 0..kills {
            let part = stage.replica(archiving(stage).await?)?;
            amid += u32::from(kill_amid(stage, part, &mut random).await?);
            part.start().await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    say(format!("    {amid} of {kills} kills met a batch between documents and progress"));
    crew.judged().await
}

/// Stops a replica's clock at random moments until it has stored what it has not noted yet, and kills it there. Tells
/// whether such a moment came.
async fn kill_amid(stage: &Stage, part: &Part, random: &mut StdRng) -> Result<bool> {
    let is_amid = async || {
        let progress = stage.archive.progress(stage.lobby.partition).await?;
        anyhow::Ok(stage.archive.beyond(LOBBY, progress).await? > 0)
    };
    let mut found = false;
    for _ in 0..MOMENTS {
        sleep(BATCH.mul_f64(random.random())).await;
        part.freeze();
        // Twice: MongoDB may still be at work on what it was told.
        found = is_amid().await? && is_amid().await?;
        if found {
            break;
        }
        part.thaw();
    }
    part.kill().await;
    Ok(found)
}

/// The replica that archives the lobby, at a moment when it does.
async fn archiving(stage: &Stage) -> Result<usize> {
    let mut before = HashMap::new();
    until_after(SHARE, "somebody archives the lobby", async || {
        for replica in 0..REPLICAS {
            let documents = documents(stage, replica).await?;
            let known = before.insert(replica, documents);
            if known.is_some_and(|known| documents > known) {
                return Ok(replica);
            }
        }
        anyhow::bail!("nobody: {before:?}")
    })
    .await
}

/// How many documents a replica has archived since it started.
async fn documents(stage: &Stage, replica: usize) -> Result<u64> {
    let (_, admin) = stage.stack.ports().chat[replica];
    let metrics = stage.http.get(format!("http://127.0.0.1:{admin}/metrics")).send().await?;
    let metrics = metrics.error_for_status()?.text().await?;
    let line = metrics.lines().find_map(|line| line.strip_prefix("chat_archive_documents_total "));
    Ok(line.map_or(Ok(0), str::parse)?)
}

pub(super) async fn mongodb_away(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let mut crew = Crew::gather(stage, people).await?;
    let at = crew.clients().first().and_then(|client| client.record().transcript.at());
    let at = at.context("everybody listens")?;
    let early = Place { position: (at.position - BELOW_THE_FLOOR).max(-1), ..at };
    let late_comer = Members { from: Some(early), ..Members::people(0..1) };
    let mongodb = stage.stack.part("mongodb")?;
    let outages = [(Blow::Kill, 3), (Blow::Stop, 8), (Blow::Freeze, 12)];
    for (blow, seconds) in &outages[..scale.of(1, outages.len())] {
        disturb::take_away(mongodb, *blow).await?;
        // Somebody wants to read what only MongoDB holds.
        crew.admit(&late_comer)?;
        crew.speak_while(&Talk::lively(people), async {
            sleep(Duration::from_secs(*seconds)).await;
            disturb::bring_back(mongodb, *blow).await?;
            crew.recovers().await
        })
        .await?;
    }
    crew.judged().await
}

pub(super) async fn poison(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let crew = Crew::gather(stage, people).await?;
    let (before, _) = stage.dead().await?;
    let rounds = scale.of(1, 5);
    let expected = before + rounds * POISONS;
    crew.speak_while(&Talk::lively(people), async {
        for _ in 0..rounds {
            disturb::poison(stage).await?;
            crew.recovers().await?;
        }
        until("the dead letter queue holds them", async || {
            let (count, _) = stage.dead().await?;
            ensure!(count == expected, "it holds {count} records instead of {expected}");
            Ok(())
        })
        .await
    })
    .await?;
    crew.judged().await
}

pub(super) async fn rebalance_storm(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let crew = Crew::gather(stage, people).await?;
    let joins = scale.of(3, 20);
    let mut shares = 0_u32;
    crew.speak_while(&Talk::lively(people), async {
        for _ in 0..joins {
            shares += u32::from(stage.messages.intrude().await?);
        }
        crew.recovers().await
    })
    .await?;
    say(format!("    {joins} readers came and went, {shares} of them with a share"));
    let mut report = crew.judged().await?;
    if shares == 0 {
        report.findings.push("no reader got a share: there was no storm".to_owned());
    }
    Ok(report)
}
