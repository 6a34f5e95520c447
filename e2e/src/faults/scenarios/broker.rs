//! What befalls the broker.

use std::time::Duration;

use anyhow::Result;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::sleep;

use crate::faults::crew::{Crew, Report, Talk};
use crate::faults::disturb::{self, Blow};
use crate::faults::scale::Scale;
use crate::faults::stage::Stage;

pub(super) async fn kills(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let crew = Crew::gather(stage, people).await?;
    let broker = stage.stack.part("kafka")?;
    let mut random = StdRng::seed_from_u64(stage.seed);
    crew.speak_while(&Talk::lively(people), async {
        for _ in 0..scale.of(2, 20) {
            sleep(Duration::from_secs(2).mul_f64(random.random())).await;
            disturb::away(broker, Blow::Kill, Duration::ZERO).await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}

/// Longer than a message's five seconds, so that outcomes are unknown; and shorter.
pub(super) async fn away(stage: &Stage, scale: Scale) -> Result<Report> {
    let people = scale.of(6, 12);
    let crew = Crew::gather(stage, people).await?;
    let broker = stage.stack.part("kafka")?;
    let long = [
        (Blow::Freeze, 2),
        (Blow::Freeze, 8),
        (Blow::Stop, 0),
        (Blow::Stop, 8),
        (Blow::Kill, 8),
        (Blow::Freeze, 20),
    ];
    crew.speak_while(&Talk::lively(people), async {
        for (blow, seconds) in &long[..scale.of(2, long.len())] {
            disturb::away(broker, *blow, Duration::from_secs(*seconds)).await?;
            crew.recovers().await?;
        }
        Ok(())
    })
    .await?;
    crew.judged().await
}
