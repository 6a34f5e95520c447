//! What befalls replicas.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::faults::crew::{Crew, Members, Report, Talk};
use crate::faults::disturb::{self, Blow};
use crate::faults::scale::Scale;
use crate::faults::stage::{REPLICAS, Stage};

const SKEW: Duration = Duration::from_mins(5);
/// A token may have been issued up to 30 s after a replica's own time: from this age on even the one that is behind
/// takes it.
const OLD_ENOUGH: Duration = Duration::from_secs(285);

/// Many clients, of which few speak: each message goes to all of them.
pub(super) async fn kill(stage: &Stage, scale: Scale) -> Result<Report> {
    let mut crew = Crew::empty(stage);
    crew.join(&Members { each: 10, ..Members::people(0..scale.of(6, 100)) }).await?;
    let talk = Talk { pace: Duration::from_millis(500), ..Talk::lively(30) };
    let talk = Talk { speakers: scale.of(30, 3), ..talk };
    crew.speak_while(&talk, async {
        for replica in 0..scale.of(1, REPLICAS) {
            disturb::away(stage.replica(replica)?, Blow::Kill, Duration::from_secs(3)).await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}

/// For longer than its group waits for it, and than its clients do.
pub(super) async fn frozen(stage: &Stage, _: Scale) -> Result<Report> {
    let crew = Crew::gather(stage, 12).await?;
    crew.speak_while(&Talk::lively(12), async {
        for replica in 0..REPLICAS {
            disturb::away(stage.replica(replica)?, Blow::Freeze, Duration::from_secs(20)).await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}

pub(super) async fn rolling_restart(stage: &Stage, scale: Scale) -> Result<Report> {
    let mut crew = Crew::gather(stage, 12).await?;
    crew.join_guest().await?;
    crew.speak_while(&Talk::lively(12), async {
        for replica in (0..REPLICAS).cycle().take(scale.of(1, 2 * REPLICAS)) {
            disturb::away(stage.replica(replica)?, Blow::Stop, Duration::ZERO).await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}

/// One replica five minutes ahead, one as much behind. Tokens are checked by the replicas' clocks: the one behind
/// takes only those that were issued more than four and a half minutes ago.
pub(super) async fn clock_skew(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(4, 12);
    for wallet in &stage.people[..people] {
        sleep(OLD_ENOUGH.saturating_sub(wallet.age().await)).await;
    }
    let seconds = i32::try_from(SKEW.as_secs())?;
    disturb::skew(stage, 1, seconds).await?;
    disturb::skew(stage, 2, -seconds).await?;
    let mut crew = Crew::empty(stage);
    // A person's tokens are renewed when a replica ahead says so, and the fresh ones are of no use at the one behind.
    let (ahead, behind) = (0..people / 2, people / 2..people);
    crew.join(&Members { replicas: vec![0, 1], ..Members::people(ahead) }).await?;
    crew.join(&Members { replicas: vec![0, 2], ..Members::people(behind) }).await?;
    let messages = scale.of(500, 3_000);
    let meanwhile = crew.cut_at_random(Duration::from_secs(5));
    crew.say_all(&Talk::lively(people), messages, meanwhile).await;
    let report = crew.judged().await;
    for replica in [1, 2] {
        stage.replica(replica)?.restart().await?;
    }
    report
}
