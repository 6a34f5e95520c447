//! What befalls the parts that people sign in by: whoever is signed in does not need them.

use std::time::Duration;

use anyhow::Result;

use crate::faults::crew::{Crew, Report, Talk};
use crate::faults::disturb::{self, Blow};
use crate::faults::scale::Scale;
use crate::faults::stage::Stage;

const PEOPLE: usize = 12;

pub(super) async fn dex_away(stage: &Stage, _: Scale) -> Result<Report> {
    without(stage, "dex").await
}

pub(super) async fn postgresql_away(stage: &Stage, _: Scale) -> Result<Report> {
    without(stage, "postgres").await
}

/// Clients come back all the time meanwhile, with the tokens they have.
async fn without(stage: &Stage, name: &str) -> Result<Report> {
    let crew = Crew::gather(stage, PEOPLE).await?;
    let part = stage.stack.part(name)?;
    crew.speak_while(&Talk::lively(PEOPLE), async {
        for blow in [Blow::Kill, Blow::Freeze] {
            let away = disturb::away(part, blow, Duration::from_secs(10));
            let cuts = crew.cut_at_random(Duration::from_secs(4));
            tokio::select! {
                away = away => away?,
                never = cuts => match never {},
            }
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}
