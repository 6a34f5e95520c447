//! `bench rooms`: what many rooms cost: the list of one's own, the archive with all that is done in them, the question who
//! may speak, and everybody who comes at once.

mod access;
mod mine;
mod mixture;
mod storm;

use anyhow::Result;
use devstack::console::say;

use crate::chat::site::Site;
use crate::pin::Cores;
use crate::report::Report;
use crate::scale::{Part, Scale};
use crate::usage;

/// Runs all parts, or the one that is wanted: in turn, never at the same time.
pub(crate) async fn run(report: &mut Report, cores: &Cores, scale: Scale) -> Result<()> {
    usage::open_many_files()?;
    let site = Site::open(cores).await?;
    let rounds = scale.rounds;
    let wants = |part| scale.part.is_none_or(|wanted| wanted == part);
    if wants(Part::MyRooms) {
        say("one's rooms, against a page of a history");
        mine::run(report, &site, rounds).await?;
    }
    if wants(Part::Mixture) {
        say("messages, edits and members of a thousand rooms, from the log to the archive");
        mixture::run(report, &site, rounds).await?;
    }
    if wants(Part::Access) {
        say("who may speak in a room that is known");
        access::run(report, &site, rounds).await?;
    }
    if wants(Part::Storm) {
        say("everybody subscribes at once");
        storm::run(report, &site).await?;
    }
    Ok(())
}
