//! How near logins come to what the processor can hash, and how cheap it is to refuse one.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::bare::{self, COST};
use super::refusals;
use crate::caller::{Attempt, Networks, address};
use crate::line::Line;
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::service::{Database, LoginSite, NO_LIMITS, Service};
use crate::stats::count;

/// Logins that one round measures: as many as bare hashes, and those that begin it.
const LOGINS: usize = 20 + CLIENTS;

/// Clients that each log in again as soon as they are in. The half of the queue that is reserved
/// for known pairs holds four for each processor.
const CLIENTS: usize = 4;

/// People who are known from a network each.
pub(super) struct Known {
    people: Vec<Attempt>,
}

impl Known {
    /// Makes `people` accounts, with hashes of this cost, and lets each log in once.
    pub(super) async fn make(
        site: &LoginSite,
        database: &Database,
        service: &Service,
        (people, cost): (u32, u32),
    ) -> Result<Self> {
        let password = "known from here and nowhere else";
        let names: Vec<String> = (0..people).map(|n| format!("known-{n}")).collect();
        let rows =
            names.iter().map(|name| format!("  - {{ username: {name}, password: {password} }}\n"));
        let yaml = format!("users:\n{}", rows.collect::<String>());
        site.seed(database, cost, &yaml).await?;
        // Networks from the far end: the others count from the near one.
        let from = |n: usize| address(12_000_000 + u32::try_from(n).unwrap_or(u32::MAX));
        let person = |(n, name): (usize, &String)| Attempt::new(name, password, from(n));
        let people: Vec<Attempt> = names.iter().enumerate().map(person).collect();
        let distinct: BTreeSet<&str> = people.iter().map(|one| one.address.as_str()).collect();
        ensure!(distinct.len() == people.len(), "two people share a network");
        for person in &people {
            ensure!(person.clone().send(&service.line).await?, "{} is not let in", person.name);
        }
        Ok(Self { people })
    }

    /// The `n`th attempt, when they take turns.
    pub(super) fn turn(&self, n: usize) -> Attempt {
        self.people[n % self.people.len()].clone()
    }
}

pub(super) async fn run(
    report: &mut Report,
    site: &LoginSite,
    cores: &Cores,
    rounds: u32,
) -> Result<()> {
    let database = site.database().await?;
    let service = site.serve(&database, &cores.service, &NO_LIMITS).await?;
    let people = u32::try_from(CLIENTS)?;
    let known = Known::make(site, &database, &service, (people, COST)).await?;
    let networks = Networks::default();
    let (mut rates, mut ratios, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let hash = bare::seconds_per_hash(&cores.service, COST).await?;
        let login = seconds_per_login(&known, &service.line).await?;
        let refusal = refusals::seconds_per_refusal(&service, round, &networks).await?;
        rates.push(1.0 / hash);
        ratios.push(hash / login);
        prices.push(hash / refusal);
    }
    report.rounds("bare bcrypt, cost 12", "1/s", &rates, Goal::None)?;
    report.rounds("L1: logins / bare bcrypt", "ratio", &ratios, Goal::AtLeast(0.9))?;
    report.rounds("L1: a hash / a refusal, locked", "ratio", &prices, Goal::AtLeast(100.0))?;
    service.stop().await
}

/// How many seconds apart successful logins are while the pool is busy.
async fn seconds_per_login(known: &Known, line: &Line) -> Result<f64> {
    let mut clients = JoinSet::new();
    let start = Instant::now();
    for client in 0..CLIENTS {
        let (attempt, line) = (known.turn(client), line.clone());
        clients.spawn(async move {
            let mut ends = Vec::new();
            for _ in 0..LOGINS / CLIENTS {
                ensure!(attempt.clone().send(&line).await?, "a known person is refused");
                ends.push(start.elapsed().as_secs_f64());
            }
            Ok(ends)
        });
    }
    let mut ends = Vec::new();
    for client in clients.join_all().await {
        ends.extend(client?);
    }
    ends.sort_by(f64::total_cmp);
    // The first few come while the queue fills, the last few while it empties.
    let counted = &ends[CLIENTS - 1..];
    Ok((counted[counted.len() - 1] - counted[0]) / count(counted.len() - 1))
}
