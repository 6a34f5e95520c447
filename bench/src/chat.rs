//! `bench chat`: what chat-api's way in, its way out, its archive and its memory come to, against
//! what the same parts do bare and what servers of others do.

mod archive;
pub(crate) mod bare;
mod deliveries;
mod held;
mod history;
mod ingest;
mod issuer;
mod latency;
mod memory;
mod publish;
mod resume;
pub(crate) mod rooms;
pub(crate) mod sample;
pub(crate) mod site;
mod stalled;
mod tokens;

use anyhow::Result;
use devstack::console::say;

use crate::pin::Cores;
use crate::report::Report;
use crate::scale::{Part, Scale};
use crate::usage;
use site::Site;

/// Runs all parts, or the one that is wanted: in turn, never at the same time.
pub(crate) async fn run(report: &mut Report, cores: &Cores, scale: Scale) -> Result<()> {
    usage::open_many_files()?;
    let site = Site::open(cores).await?;
    let rounds = scale.rounds;
    let wants = |part| scale.part.is_none_or(|wanted| wanted == part);
    if wants(Part::Ingest) {
        say("P1–P3: from a request to its 202");
        ingest::run(report, &site, rounds).await?;
    }
    if wants(Part::Deliveries) {
        say("P4: deliveries to a thousand sockets, in one room and in many");
        deliveries::run(report, &site, rounds).await?;
    }
    if wants(Part::Memory) {
        say("P5: idle connections");
        memory::run(report, &site, rounds).await?;
    }
    if wants(Part::Latency) {
        say("P6: from a request to the last of a hundred sockets");
        latency::run(report, &site, rounds).await?;
    }
    if wants(Part::History) {
        say("P7: pages of a long and a short history");
        history::run(report, &site, rounds).await?;
    }
    if wants(Part::Archive) {
        say("P8: from the log to the archive");
        archive::run(report, &site, rounds).await?;
    }
    if wants(Part::Stalled) {
        say("P9: clients that take nothing");
        stalled::run(report, &site, rounds).await?;
        held::run(report, &site, rounds).await?;
    }
    if wants(Part::Resume) {
        say("P10: everybody comes back at once");
        resume::run(report, &site).await?;
    }
    if wants(Part::Tokens) {
        say("P11: the check of a token");
        tokens::run(report, &site, rounds).await?;
    }
    Ok(())
}
