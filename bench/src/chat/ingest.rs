//! P1–P3: how near the way in comes to a program that does the same input and output and nothing else, what a
//! message costs, and how long its sender waits.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use super::bare::{self, BareLog};
use super::sample::request;
use super::site::{Place, Site};
use crate::load::{Schedule, p99_millis};
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::http::{Connection, Pool};

/// Requests under way, and records of the bare log.
const IN_FLIGHT: usize = 256;

/// A closed loop that is not measured: it fills what is empty.
const WARM: Duration = Duration::from_secs(2);

/// A closed loop that is: at 5,000 messages a second 40,000 of them.
const MEASURED: Duration = Duration::from_secs(8);

/// At half the load: at 2,500 a second 250 are above the 99th percentile.
const PACED: Duration = Duration::from_secs(10);

/// What the producer waits for others to send along with a record, in milliseconds.
const LINGER_MILLIS: f64 = 2.0;

/// The bare acknowledgement has the broker beside it, and a `202` the broker, the callers and the database: where
/// these share a processor, who waits for the log waits for their turns there.
const TOO_FEW_PROCESSORS: &str = "P3 has no goal here: broker, database and callers have less than a \
    processor each, and what a 202 waits for is mostly their turns. It takes four processors.";

/// What a closed loop over HTTP came to.
struct Closed {
    /// Messages a second, while it was measured.
    rate: f64,
    /// How many messages were accepted, those before and after the measurement too.
    accepted: u64,
}

/// A server with the whole way behind it, and the archive of its own that everything comes into.
struct WholeWay<'a> {
    site: &'a Site,
    address: SocketAddr,
    place: &'a Place,
    cpu_seconds: &'a dyn Fn() -> Result<f64>,
    /// How many messages it has accepted.
    accepted: u64,
}

impl<'a> WholeWay<'a> {
    fn of(
        site: &'a Site,
        address: SocketAddr,
        place: &'a Place,
        cpu_seconds: &'a dyn Fn() -> Result<f64>,
    ) -> Self {
        Self { site, address, place, cpu_seconds, accepted: 0 }
    }

    /// In a closed loop: messages a second, and the processor time of one, in seconds. What it costs includes its
    /// way into the archive, which comes a little later.
    async fn closed(&mut self, requests: &[Vec<u8>]) -> Result<(f64, f64)> {
        let before = (self.cpu_seconds)()?;
        let closed = closed(self.address, requests).await?;
        self.archived(closed.accepted).await?;
        let spent = (self.cpu_seconds)()? - before;
        Ok((closed.rate, spent / as_f64(closed.accepted)))
    }

    async fn paced(&mut self, per_second: f64) -> Result<Paced> {
        let paced = paced(self.address, self.site, per_second).await?;
        self.archived(paced.accepted).await?;
        Ok(paced)
    }

    /// Waits until the archive has so many more.
    async fn archived(&mut self, more: u64) -> Result<()> {
        self.accepted += more;
        self.site.archived_all(self.place, self.accepted).await
    }
}

#[derive(Default)]
struct IngestRounds {
    log_rate: Vec<f64>,
    http_rate: Vec<f64>,
    whole_rate: Vec<f64>,
    rate: Vec<f64>,
    of_whole: Vec<f64>,
    of_both: Vec<f64>,
    whole_cost: Vec<f64>,
    cost: Vec<f64>,
    cost_of_whole: Vec<f64>,
    cost_of_both: Vec<f64>,
    log_p99: Vec<f64>,
    http_p99: Vec<f64>,
    whole_p99: Vec<f64>,
    p99: Vec<f64>,
    delay: Vec<f64>,
    p99_of_whole: Vec<f64>,
    p99_limit: Vec<f64>,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let log = BareLog::new(site).await?;
    let http = bare::start_http(site).await?;
    let (bare_place, place) = (site.place().await?, site.place().await?);
    let bare = bare::start_whole(site, &bare_place).await?;
    let replica = site.serve(&place).await?;
    let (bare_cpu, chat_cpu) = (|| bare.cpu_seconds(), || replica.cpu_seconds());
    let mut whole_bare = WholeWay::of(site, bare.address, &bare_place, &bare_cpu);
    let mut chat = WholeWay::of(site, replica.address, &place, &chat_cpu);
    let requests = requests(site);
    let mut found = IngestRounds::default();
    for _ in 0..rounds {
        let appended = log.append(IN_FLIGHT, MEASURED).await?;
        let cpu = http.cpu_seconds()?;
        let noop = closed(http.address, &requests).await?;
        let noop_cost = (http.cpu_seconds()? - cpu) / as_f64(noop.accepted);
        let (whole_rate, whole_cost) = whole_bare.closed(&requests).await?;
        let (rate, cost) = chat.closed(&requests).await?;
        found.log_rate.push(appended.per_second());
        found.http_rate.push(noop.rate);
        found.whole_rate.push(whole_rate);
        found.rate.push(rate);
        found.of_whole.push(rate / whole_rate);
        found.of_both.push(rate / appended.per_second().min(noop.rate));
        found.whole_cost.push(whole_cost * 1e6);
        found.cost.push(cost * 1e6);
        found.cost_of_whole.push(cost / whole_cost);
        found.cost_of_both.push(cost / (appended.cpu_seconds_each() + noop_cost));

        let half = rate / 2.0;
        let acknowledged = log.pace(half, PACED).await?.p99_millis;
        found.http_p99.push(paced(http.address, site, half).await?.p99);
        let whole_p99 = whole_bare.paced(half).await?.p99;
        let answered = chat.paced(half).await?;
        found.log_p99.push(acknowledged);
        found.whole_p99.push(whole_p99);
        found.p99.push(answered.p99);
        found.delay.push(answered.delay);
        found.p99_of_whole.push(answered.p99 / whole_p99);
        found.p99_limit.push(answered.p99 / (1.5 * acknowledged + LINGER_MILLIS));
    }
    found.tell(report, site.cores.has_others_apart())?;
    replica.stop().await?;
    drop(bare);
    site.forget(&bare_place).await?;
    site.forget(&place).await
}

impl IngestRounds {
    fn tell(&self, report: &mut Report, apart: bool) -> Result<()> {
        let none = Goal::None;
        report.rounds("P1: bare log, 256 in flight", "1/s", &self.log_rate, none)?;
        report.rounds("P1: bare HTTP with the token's check", "1/s", &self.http_rate, none)?;
        report.rounds("P1: whole bare, messages accepted", "1/s", &self.whole_rate, none)?;
        report.rounds("P1: messages accepted", "1/s", &self.rate, none)?;
        let what = "P1: accepted / whole bare";
        report.rounds(what, "ratio", &self.of_whole, Goal::AtLeast(0.85))?;
        report.rounds("P1: accepted / the slower of log and HTTP", "ratio", &self.of_both, none)?;
        report.rounds("P2: whole bare, processor per message", "µs", &self.whole_cost, none)?;
        report.rounds("P2: processor per message, archive included", "µs", &self.cost, none)?;
        let what = "P2: processor per message / whole bare";
        report.rounds(what, "ratio", &self.cost_of_whole, Goal::AtMost(1.2))?;
        let what = "P2: processor per message / log and HTTP bare";
        report.rounds(what, "ratio", &self.cost_of_both, none)?;
        report.rounds("P3: bare acknowledgement at half load, p99", "ms", &self.log_p99, none)?;
        report.rounds("P3: bare HTTP at half load, p99", "ms", &self.http_p99, none)?;
        report.rounds("P3: whole bare at half load, p99", "ms", &self.whole_p99, none)?;
        report.rounds("P3: 202 at half load, p99", "ms", &self.p99, none)?;
        report.rounds("P3: of that the callers' own delay, p99", "ms", &self.delay, none)?;
        report.rounds("P3: 202 / whole bare", "ratio", &self.p99_of_whole, none)?;
        let goal = if apart { Goal::AtMost(1.0) } else { none };
        let what = "P3: 202 / (1.5 × acknowledgement + linger)";
        report.rounds(what, "ratio", &self.p99_limit, goal)?;
        if !apart {
            report.note(TOO_FEW_PROCESSORS);
        }
        Ok(())
    }
}

/// A request per person, in turn.
fn requests(site: &Site) -> Vec<Vec<u8>> {
    (0..).zip(&site.tokens).map(|(n, token)| request(n, token)).collect()
}

/// Keeps [`IN_FLIGHT`] requests under way, each sent when the one before it was answered.
async fn closed(address: SocketAddr, requests: &[Vec<u8>]) -> Result<Closed> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for client in 0..IN_FLIGHT {
        let own = requests.iter().skip(client).step_by(IN_FLIGHT).cloned().collect();
        clients.spawn(ask_on(address, own, start));
    }
    let (mut ids, mut measured, mut accepted) = (HashSet::new(), 0, 0);
    while let Some(client) = clients.join_next().await {
        let (found, counted) = client??;
        (measured, accepted) = (measured + counted, accepted + found.len());
        ids.extend(found);
    }
    ensure!(ids.len() == accepted, "{accepted} answers have {} ids", ids.len());
    Ok(Closed { rate: count(measured) / MEASURED.as_secs_f64(), accepted: accepted as u64 })
}

/// The ids that were answered, and how many of them while it was measured.
async fn ask_on(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    start: Instant,
) -> Result<(Vec<Uuid>, usize)> {
    let mut connection = Connection::open(address).await?;
    let (mut ids, mut measured) = (Vec::new(), 0);
    for request in requests.iter().cycle() {
        let body = connection.ask(request).await?.expect(202)?;
        ids.push(message_id(body)?);
        match start.elapsed() {
            elapsed if elapsed >= WARM + MEASURED => break,
            elapsed if elapsed >= WARM => measured += 1,
            _ => {}
        }
    }
    Ok((ids, measured))
}

/// The id in an answer, without reading the rest of it.
fn message_id(body: &[u8]) -> Result<Uuid> {
    const NAME: &[u8] = b"\"message_id\":\"";
    let at = body.windows(NAME.len()).position(|part| part == NAME);
    let at = at.context("an answer has an id")? + NAME.len();
    Ok(Uuid::try_parse_ascii(body.get(at..at + 36).context("an id has 36 characters")?)?)
}

/// What calls at a fixed rate came to.
struct Paced {
    /// Of the answers, in milliseconds.
    p99: f64,
    /// Of the callers' own delay, in milliseconds.
    delay: f64,
    accepted: u64,
}

async fn paced(address: SocketAddr, site: &Site, per_second: f64) -> Result<Paced> {
    let pool = Arc::new(Pool::open(address, IN_FLIGHT).await?);
    let requests = Arc::new(requests(site));
    let samples = Schedule::from_now(per_second, PACED)
        .run(|n| {
            let (pool, requests) = (Arc::clone(&pool), Arc::clone(&requests));
            async move { pool.ask(&requests[n as usize % requests.len()], 202).await.map(drop) }
        })
        .await;
    let accepted = samples.len() as u64;
    let p99 = p99_millis(samples.iter().map(|sample| sample.latency))?;
    let delay = p99_millis(samples.iter().map(|sample| sample.delay))?;
    for sample in samples {
        sample.answer?;
    }
    Ok(Paced { p99, delay, accepted })
}

fn as_f64(accepted: u64) -> f64 {
    count(usize::try_from(accepted).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_an_answer() {
        let id = "019ab1c4-7a10-7c3e-9d55-3f1f6a0b2c4d";
        let body = format!(r#"{{"message_id":"{id}","status":"enqueued"}}"#);
        assert_eq!(message_id(body.as_bytes()).unwrap().to_string(), id);
        assert!(message_id(&body.as_bytes()[..40]).is_err());
        assert!(message_id(b"{}").is_err());
    }
}
