//! Who may speak in a room that is known: asked for every message that is sent.

use anyhow::Result;

use crate::ceilings::{self, AccessTime};
use crate::chat::site::Site;
use crate::report::{Goal, Report};

/// What is granted to it, in nanoseconds.
const NANOS: f64 = 1_000.0;

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let args = ["access".to_owned(), format!("--uri={}", site.mongodb.uri())];
    let mut found = Vec::new();
    for _ in 0..rounds {
        let AccessTime { nanos } = ceilings::ask(&site.cores.service, &args).await?;
        found.push(nanos);
    }
    report.rounds("who may speak, of a room that is known", "ns", &found, Goal::AtMost(NANOS))
}
