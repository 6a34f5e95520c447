//! `bench attack`: somebody who tries everything that the wire allows against one account, its owner
//! who goes on logging in, and a listener who wants to know which names exist.

mod field;
mod guesses;
mod ladder;
mod owner;
mod probe;
mod siege;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use devstack::console::say;
use tokio::time::Instant;

use crate::caller::Networks;
use crate::imported::Imported;
use crate::line::Line;
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::scale::Scale;
use crate::service::{LoginSite, Service};
use crate::stats::count;
use field::Field;
use ladder::Ladder;
use owner::Owner;
use siege::Siege;

/// How many replicas there are: what they do not share must not matter.
const REPLICAS: usize = 3;

pub(crate) async fn run(report: &mut Report, cores: &Cores, scale: Scale) -> Result<()> {
    let lasting = Duration::from_secs(60 * u64::from(scale.minutes));
    let ladder = Ladder::shortened(scale.minutes);
    let site = LoginSite::open().await?;
    let database = site.database().await?;
    let owner = Owner::make(&site, &database).await?;
    Imported { prefix: probe::KNOWN, count: probe::most_pairs(lasting), active: true }
        .write(&database.pool)
        .await?;
    let services = serve(&site, &database, cores, &ladder).await?;
    report.service_had(&cores.all());

    let replicas: Vec<Line> = services.iter().map(|service| service.line.clone()).collect();
    ensure!(
        owner.log_in(&replicas[0], 0).await.is_ok_and(|let_in| let_in),
        "the owner is not known"
    );
    let start = Instant::now();
    let (networks, end) = (Networks::default(), start + lasting);
    let field = Arc::new(Field { replicas, networks, ladder, start, end });
    say(format!("an attack of {} minutes on {REPLICAS} replicas", scale.minutes));
    let siege = Siege::new(Arc::clone(&field), database.pool.clone());
    let (sent, visits, probes) =
        tokio::join!(siege.run(), owner.visit(&field), probe::listen(&field),);
    let sent = sent?;
    let allowed = field.ladder.allowed(field.start.elapsed());
    // A stop waits for what is under way, and for the last line of the trail.
    for service in services {
        service.stop().await?;
    }
    let verified = siege.verified().await?;

    report.once("guesses sent", "", f64::from(sent), Goal::None)?;
    report.once("guesses verified, by the guard", "", f64::from(verified.guard), Goal::None)?;
    report.once("guesses verified, by the trail", "", f64::from(verified.trail), Goal::None)?;
    let most = f64::from(verified.guard.max(verified.trail));
    report.once("guesses verified", "", most, Goal::AtMost(f64::from(allowed)))?;
    report.once("owner's logins", "", count(visits.tried), Goal::AtLeast(1.0))?;
    report.once("owner's logins refused", "", count(visits.refused), Goal::AtMost(0.0))?;
    report.detail("owner's logins refused, why", visits.why)?;
    probes.tell(report)
}

async fn serve(
    site: &LoginSite,
    database: &crate::service::Database,
    cores: &Cores,
    ladder: &Ladder,
) -> Result<Vec<Service>> {
    let [first, longest] =
        [ladder.first_pause, ladder.longest_pause].map(|pause| pause.as_secs().to_string());
    // The cheapest hash: three replicas share what one has in production.
    let variables = [
        ("BCRYPT_COST", "10"),
        ("LOCKOUT_FIRST_PAUSE", first.as_str()),
        ("LOCKOUT_LONGEST_PAUSE", longest.as_str()),
    ];
    let mut services = Vec::new();
    for _ in 0..REPLICAS {
        services.push(site.serve(database, &cores.all(), &variables).await?);
    }
    Ok(services)
}
