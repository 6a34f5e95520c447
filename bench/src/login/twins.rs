//! Pairs of attempts that must look alike: on a name that somebody has, and on one that nobody has.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use devstack::console::say;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::Instant;

use super::bare;
use super::goodput::Known;
use crate::caller::{Attempt, Networks};
use crate::imported::{self, Imported, PASSWORD};
use crate::line::Line;
use crate::load::steady;
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::service::{LoginSite, NO_LIMITS, Service};
use crate::stats::{kolmogorov_smirnov, median};

/// Failures after which a name is closed to strangers.
const FAILURES: u32 = 10;

/// Cases other than the first have this part of its pairs.
const FEWER: u32 = 10;

/// The cases. Each is tested at the first's level divided by this, so that all of them together
/// raise a false alarm in one of a hundred runs, as the first alone does (Bonferroni).
const OTHER_CASES: f64 = 7.0;

/// The part of the processor that the load of known people takes.
const LOAD: f64 = 0.5;

/// What is typed in both attempts of a pair.
#[derive(Clone, Copy)]
struct Case<'a> {
    what: &'static str,
    /// The prefixes of a name that has an account, and of one as long that nobody has; a number
    /// follows.
    names: [&'static str; 2],
    password: &'a str,
    /// One pair of names for all attempts instead of a fresh one each.
    same_names: bool,
    pairs: u32,
    least_p: f64,
}

/// How long the answers to both kinds took, in seconds.
#[derive(Default)]
struct PairTimes {
    known: Vec<f64>,
    unknown: Vec<f64>,
}

pub(super) async fn run(
    report: &mut Report,
    site: &LoginSite,
    cores: &Cores,
    pairs: u32,
) -> Result<()> {
    let few = pairs / FEWER;
    let seventy_three = "x".repeat(73);
    let wrong = Case {
        what: "a wrong guess",
        names: ["plain", "ghost"],
        password: "a guess",
        same_names: false,
        pairs,
        least_p: 0.01,
    };
    let other = |what, names, password| Case {
        what,
        names,
        password,
        pairs: few,
        least_p: 0.01 / OTHER_CASES,
        ..wrong
    };
    let cases = [
        wrong,
        other("an empty password", ["empty", "nobdy"], ""),
        other("73 bytes", ["longy", "nolon"], &seventy_three),
        other("a NUL", ["nully", "nonul"], "a guess\0a guess"),
        other("a disabled account's password", ["idled", "noidl"], PASSWORD),
        Case { same_names: true, ..other("a locked name", ["lockd", "nolck"], "a guess") },
    ];
    let loaded = other("under load, a wrong guess", ["busyy", "nobsy"], "a guess");

    let database = site.database().await?;
    for case in cases.iter().chain([&loaded]) {
        let active = case.names[0] != "idled";
        Imported { prefix: case.names[0], count: case.pairs, active }.write(&database.pool).await?;
    }
    let mut cheap = NO_LIMITS.to_vec();
    // A name stays closed while it is looked at.
    cheap.extend([("BCRYPT_COST", "10"), ("LOCKOUT_FIRST_PAUSE", "3600")]);
    let service = site.serve(&database, &cores.service, &cheap).await?;
    let networks = Networks::default();
    for case in &cases {
        let times = measure(&service.line, case, &networks).await?;
        tell(report, case, &times)?;
        if case.what == wrong.what {
            show_paddings(report, &times)?;
        }
    }
    let known = Known::make(site, &database, &service, (4, imported::COST)).await?;
    let rate = 1.0 / bare::seconds_per_hash(&cores.service, imported::COST).await?;
    let times = tokio::select! {
        times = measure(&service.line, &loaded, &networks) => times?,
        () = keep_busy(&service, &known, LOAD * rate) => bail!("the load ended first"),
    };
    tell(report, &loaded, &times)?;
    service.stop().await?;
    imports(
        report,
        site,
        cores,
        Case {
            what: "an import of cost 10 where 12 is configured",
            names: ["cheap", "nochp"],
            pairs: few / 2,
            ..loaded
        },
    )
    .await
}

/// Imported hashes are cheaper than new ones: what is missing must be made up for.
async fn imports(
    report: &mut Report,
    site: &LoginSite,
    cores: &Cores,
    case: Case<'_>,
) -> Result<()> {
    let database = site.database().await?;
    let accounts = Imported { prefix: case.names[0], count: case.pairs, active: true };
    accounts.write(&database.pool).await?;
    let service = site.serve(&database, &cores.service, &NO_LIMITS).await?;
    let times = measure(&service.line, &case, &Networks::default()).await?;
    tell(report, &case, &times)?;
    service.stop().await
}

/// People who log in for as long as this is waited for.
async fn keep_busy(service: &Service, known: &Known, per_second: f64) {
    let hours = Duration::from_hours(24);
    steady(per_second, hours, |n| {
        let (line, attempt) = (service.line.clone(), known.turn(n as usize));
        // Whether each gets in is asked elsewhere.
        async move { attempt.send(&line).await.is_ok() }
    })
    .await;
}

/// Attempts in pairs, the order within each left to chance, so that whatever the machine does
/// meanwhile meets both kinds alike.
async fn measure(line: &Line, case: &Case<'_>, networks: &Networks) -> Result<PairTimes> {
    if case.same_names {
        for prefix in case.names {
            for n in 0..FAILURES {
                let guess = format!("guess {n}");
                let attempt = Attempt::new(&imported::name(prefix, 1), &guess, networks.next());
                ensure!(!attempt.send(line).await?, "a guess was right");
            }
        }
    }
    let (mut times, mut order) = (PairTimes::default(), StdRng::seed_from_u64(1));
    for pair in 1..=case.pairs {
        let n = if case.same_names { 1 } else { pair };
        let mut kinds = [(case.names[0], true), (case.names[1], false)];
        if order.random() {
            kinds.reverse();
        }
        for (prefix, is_known) in kinds {
            let attempt = Attempt::new(&imported::name(prefix, n), case.password, networks.next());
            let start = Instant::now();
            ensure!(!attempt.send(line).await?, "{}: let in", case.what);
            let seconds = start.elapsed().as_secs_f64();
            if is_known { times.known.push(seconds) } else { times.unknown.push(seconds) }
        }
    }
    Ok(times)
}

fn tell(report: &mut Report, case: &Case<'_>, times: &PairTimes) -> Result<()> {
    let Case { what, pairs, least_p, .. } = case;
    let ratio = median(&times.unknown) / median(&times.known);
    let ks = kolmogorov_smirnov(&times.unknown, &times.known);
    report.once(
        format!("{what}: unknown / known, {pairs}"),
        "ratio",
        ratio,
        Goal::Within(0.95, 1.05),
    )?;
    report.once(format!("{what}: one distribution (KS)"), "p", ks.p, Goal::AtLeast(*least_p))?;
    report.detail(&format!("{what}: KS distance"), ks.distance)
}

/// How many answers of each kind came in which 5 ms.
fn show_paddings(report: &mut Report, times: &PairTimes) -> Result<()> {
    let (known, unknown) = (slots(&times.known), slots(&times.unknown));
    let all: BTreeMap<u64, (usize, usize)> = known
        .keys()
        .chain(unknown.keys())
        .map(|slot| {
            let of = |slots: &BTreeMap<u64, usize>| slots.get(slot).copied().unwrap_or(0);
            (*slot, (of(&known), of(&unknown)))
        })
        .collect();
    say("answers to wrong guesses by their age: known, unknown names");
    for (slot, (known, unknown)) in &all {
        say(format!("{slot:>7} ms {known:>7} {unknown:>7}"));
    }
    report.detail("answers to wrong guesses by 5 ms of age: known, unknown names", all)
}

fn slots(seconds: &[f64]) -> BTreeMap<u64, usize> {
    let mut slots = BTreeMap::new();
    for seconds in seconds {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an answer takes between 0 and 8 s"
        )]
        let slot = (seconds * 1e3 / 5.0) as u64 * 5;
        *slots.entry(slot).or_default() += 1;
    }
    slots
}
