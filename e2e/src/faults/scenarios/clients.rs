//! What befalls clients.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::join_all;
use tokio::time::sleep;
use uuid::Uuid;

use crate::chat::client::{Client, Refused};
use crate::chat::close::CUT;
use crate::faults::crew::{Crew, Members, Report, Talk};
use crate::faults::scale::Scale;
use crate::faults::stage::{REPLICAS, Stage};
use crate::wait::until;

/// A server cuts a client that took nothing for 15 s; half of it more for a loaded machine, and for what the kernel
/// takes in its place first.
const STALL: Duration = Duration::from_secs(35);
const SLOW: u16 = 4008;

pub(super) async fn disconnects(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(8, 30);
    let crew = Crew::gather(stage, people).await?;
    let each_once_in = scale.of(Duration::from_secs(5), Duration::from_secs(12));
    let meanwhile = crew.cut_at_random(each_once_in);
    crew.say_all(&Talk::lively(people), scale.messages, meanwhile).await;
    crew.judged().await
}

/// Three clients of one person, each at a replica of its own, send under the same key at once.
pub(super) async fn key_retries(stage: &Stage, scale: Scale) -> Result<Report> {
    let mut crew = Crew::empty(stage);
    let people = scale.of(2, 5);
    let members = Members { each: REPLICAS, ..Members::people(0..people) };
    crew.join(&members).await?;
    let mut differing = Vec::new();
    for round in 0..scale.of(10, 60) {
        for (person, clients) in crew.clients().chunks(REPLICAS).enumerate() {
            let key = format!("{person}-{round}-{}", stage.seed);
            let ids = join_all(clients.iter().map(|client| say(&crew, client, &key))).await;
            if ids.iter().any(|id| *id != ids[0]) {
                differing.push(format!("key {key} became {ids:?}"));
            }
        }
    }
    let mut report = crew.judged().await?;
    report.findings.extend(differing);
    Ok(report)
}

async fn say(crew: &Crew<'_>, client: &Client, key: &str) -> Result<Uuid, Refused> {
    let outcome = client.say_under(key.to_owned(), format!("under key {key}")).await;
    crew.note(client, outcome.clone());
    outcome.map(|acked| acked.id)
}

pub(super) async fn slow_client(stage: &Stage, _: Scale) -> Result<Report> {
    let mut crew = Crew::gather(stage, 12).await?;
    // The kernel should not take much in the client's place.
    let sluggish = Members { receive_buffer: Some(4096), ..Members::people(12..13) };
    let slow = crew.join(&sluggish).await?.first().context("it has joined")?.clone();
    let talk = Talk { size: 8 * 1024, ..Talk::lively(12) };
    let let_go = crew.speak_while(&talk, async {
        slow.stall(STALL).await;
        sleep(STALL).await;
        let closes = until("the slow client was let go and comes back", async || {
            let record = slow.record();
            ensure!(record.online && record.connections > 1, "{:?}", record.closes);
            Ok(record.closes.clone())
        });
        let closes = closes.await?;
        crew.recovers().await?;
        Ok(closes)
    });
    let closes = let_go.await?;
    let mut report = crew.judged().await?;
    if !closes.contains_key(&SLOW) && !closes.contains_key(&CUT) {
        report.findings.push(format!("the slow client was closed with {closes:?}"));
    }
    Ok(report)
}
