//! Twenty times as many strangers as the processor can hash, and people who only want to log in.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tonic::Status;

use super::bare::{self, COST};
use super::goodput::Known;
use crate::caller::{Attempt, Networks, health, prompt};
use crate::load::{CallSample, p99_millis, steady};
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::service::{LoginSite, Service};
use crate::stats::count;

/// How long the overload lasts.
const LASTING: Duration = Duration::from_mins(1);

/// The rate of strangers, as a multiple of what the processor can hash.
const STRANGERS: f64 = 20.0;

/// The rate of known people, as a part of what the processor can hash.
const KNOWN: f64 = 0.5;

/// People who take turns: at 1.5 logins a second each comes back after 10 s.
const PEOPLE: u32 = 16;

/// Calls of `Prompt` a second, and as many for health: 1,200 a minute, of which twelve are above
/// the 99th percentile.
const WATCHES: f64 = 20.0;

/// The figures of one minute.
struct Minute {
    known: Vec<CallSample<Result<bool, Status>>>,
    strangers: Vec<CallSample<Result<bool, Status>>>,
    prompts: Vec<CallSample<Result<(), Status>>>,
    healths: Vec<CallSample<Result<(), Status>>>,
    queue_p99: f64,
}

#[derive(Default)]
struct OverloadRounds {
    successes: Vec<f64>,
    goodput: Vec<f64>,
    queue: Vec<f64>,
    prompt: Vec<f64>,
    health: Vec<f64>,
    delay: Vec<f64>,
    shed: Vec<f64>,
}

pub(super) async fn run(
    report: &mut Report,
    site: &LoginSite,
    cores: &Cores,
    rounds: u32,
) -> Result<()> {
    let database = site.database().await?;
    let service = site.serve(&database, &cores.service, &[]).await?;
    let known = Known::make(site, &database, &service, (PEOPLE, COST)).await?;
    let networks = Networks::default();
    let mut found = OverloadRounds::default();
    for round in 0..rounds {
        let rate = 1.0 / bare::seconds_per_hash(&cores.service, COST).await?;
        let minute = minute(&service, &known, &networks, (round, rate)).await?;
        found.add(&minute, rate)?;
    }
    let OverloadRounds { successes, goodput, queue, prompt, health, delay, shed } = &found;
    report.rounds("20×: known logins that succeed", "share", successes, Goal::AtLeast(0.99))?;
    report.rounds("20×: verified / bare bcrypt", "ratio", goodput, Goal::AtLeast(0.9))?;
    report.rounds("20×: wait for a hash, p99 at most", "s", queue, Goal::AtMost(1.5))?;
    report.rounds("20×: Prompt, p99", "ms", prompt, Goal::AtMost(10.0))?;
    report.rounds("20×: gRPC health, p99", "ms", health, Goal::AtMost(10.0))?;
    report.rounds("20×: of that the callers' own delay, p99", "ms", delay, Goal::None)?;
    report.rounds("20×: strangers that are shed", "share", shed, Goal::None)?;
    service.stop().await
}

async fn minute(
    service: &Service,
    known: &Known,
    networks: &Networks,
    (round, rate): (u32, f64),
) -> Result<Minute> {
    let before = service.metrics().await?;
    let line = &service.line;
    let (strangers, known, prompts, healths) = tokio::join!(
        steady(STRANGERS * rate, LASTING, |n| {
            let (line, name) = (line.clone(), format!("stranger-{round}-{n}"));
            let attempt = Attempt::new(&name, "a guess", networks.next());
            async move { attempt.send(&line).await }
        }),
        steady(KNOWN * rate, LASTING, |n| {
            let (line, attempt) = (line.clone(), known.turn(n as usize));
            async move { attempt.send(&line).await }
        }),
        steady(WATCHES, LASTING, |_| {
            let line = line.clone();
            async move { prompt(&line).await }
        }),
        steady(WATCHES, LASTING, |_| {
            let line = line.clone();
            async move { health(&line).await }
        }),
    );
    let queue_p99 = queue_p99(&before, &service.metrics().await?)?;
    Ok(Minute { known, strangers, prompts, healths, queue_p99 })
}

impl OverloadRounds {
    fn add(&mut self, minute: &Minute, rate: f64) -> Result<()> {
        let Minute { known, strangers, prompts, healths, queue_p99 } = minute;
        let let_in = known.iter().filter(|one| matches!(one.answer, Ok(true))).count();
        let shed = strangers.iter().filter(|one| one.answer.is_err()).count();
        // An answer is one that was verified: neither names nor networks repeat themselves.
        let in_time =
            |one: &&CallSample<Result<bool, Status>>| one.answer.is_ok() && one.at <= LASTING;
        let verified = known.iter().chain(strangers).filter(in_time).count();
        self.successes.push(count(let_in) / count(known.len()));
        self.goodput.push(count(verified) / LASTING.as_secs_f64() / rate);
        self.queue.push(*queue_p99);
        self.prompt.push(answered_p99(prompts)?);
        self.health.push(answered_p99(healths)?);
        self.delay.push(p99_millis(prompts.iter().chain(healths).map(|call| call.delay))?);
        self.shed.push(count(shed) / count(strangers.len()));
        Ok(())
    }
}

/// The 99th percentile of the calls, in milliseconds. A call that is not answered ends the
/// benchmark: it has no latency.
fn answered_p99(calls: &[CallSample<Result<(), Status>>]) -> Result<f64> {
    if let Some(Err(status)) = calls.iter().map(|call| &call.answer).find(|call| call.is_err()) {
        return Err(status.clone()).context("a call that needs no hash is not answered");
    }
    p99_millis(calls.iter().map(|call| call.latency))
}

/// The upper bound of the bucket that holds the 99th percentile of what was waited between two
/// readings, known and strangers together, in seconds.
fn queue_p99(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> Result<f64> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for (name, value) in after {
        let Some(labels) = name.strip_prefix("hash_queue_seconds_bucket") else { continue };
        let bound = labels.split_once("le=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (bound, _) = bound.context("a bucket has a bound")?;
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse()? };
        buckets.push((bound, value - before.get(name).unwrap_or(&0.0)));
    }
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    // A bucket holds all that is below its bound; each caller has buckets of its own.
    let below = |bound: f64| -> f64 {
        let same = buckets.iter().filter(|bucket| bucket.0.total_cmp(&bound).is_eq());
        same.map(|bucket| bucket.1).sum()
    };
    let all = below(f64::INFINITY);
    let holding = buckets.iter().map(|bucket| bucket.0).find(|bound| below(*bound) >= 0.99 * all);
    holding.filter(|_| all > 0.0).context("nobody waited for a hash")
}

#[cfg(test)]
#[path = "overload_tests.rs"]
mod tests;
