//! `bench accounts`: what the accounts pages cost, how fast accounts are found among a million, and whether the time
//! of an answer tells that an address has an account.

mod addresses;
mod browser;
mod pages;
mod search;
mod site;

use anyhow::Result;
use devstack::console::say;

use crate::pin::Cores;
use crate::report::Report;
use crate::scale::{Part, Scale};
use site::Site;

/// Runs all parts, or the one that is wanted: in turn, never at the same time.
pub(crate) async fn run(report: &mut Report, cores: &Cores, scale: Scale) -> Result<()> {
    let wants = |part| scale.part.is_none_or(|wanted| wanted == part);
    let site = Site::open().await?;
    if wants(Part::Pages) {
        say("the pages");
        pages::run(report, &site, cores, scale.rounds).await?;
    }
    if wants(Part::Addresses) {
        say("known and unknown addresses");
        addresses::run(report, &site, cores, scale.pairs).await?;
    }
    // The last: it fills the database server's memory.
    if wants(Part::Search) {
        say(format!("the search among {} accounts", scale.accounts));
        search::run(report, &site, cores, (scale.accounts, scale.rounds)).await?;
    }
    Ok(())
}
