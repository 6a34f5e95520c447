//! `bench login`: what a login costs, what a refusal tells, and how both fare under attack.

mod bare;
mod goodput;
mod networks;
mod overload;
mod refusals;
mod twins;

use anyhow::Result;
use devstack::console::say;

use crate::pin::Cores;
use crate::report::Report;
use crate::scale::{Part, Scale};
use crate::service::LoginSite;

/// Runs all parts, or the one that is wanted: in turn, never at the same time.
pub(crate) async fn run(report: &mut Report, cores: &Cores, scale: Scale) -> Result<()> {
    let wants = |part| scale.part.is_none_or(|wanted| wanted == part);
    // The first: it compares the memory of this process, which is small yet.
    if wants(Part::Networks) {
        say("a million networks");
        networks::run(report).await?;
    }
    let site = LoginSite::open().await?;
    if wants(Part::Goodput) {
        say("goodput, and what a refusal costs");
        goodput::run(report, &site, cores, scale.rounds).await?;
    }
    if wants(Part::Overload) {
        say("20 times as many strangers as can be hashed");
        overload::run(report, &site, cores, scale.rounds).await?;
    }
    if wants(Part::Twins) {
        say("known and unknown names");
        twins::run(report, &site, cores, scale.pairs).await?;
    }
    Ok(())
}
