//! P1–P3: how near the way in comes to what the log and the HTTP server do bare, what a message
//! costs, and how long its sender waits.

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
use super::site::Site;
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

/// What a closed loop over HTTP came to.
struct Closed {
    /// Messages a second, while it was measured.
    rate: f64,
    /// How many messages were accepted, those before and after the measurement too.
    accepted: u64,
}

#[derive(Default)]
struct IngestRounds {
    log_rate: Vec<f64>,
    http_rate: Vec<f64>,
    rate: Vec<f64>,
    rate_ratio: Vec<f64>,
    cost: Vec<f64>,
    cost_ratio: Vec<f64>,
    log_p99: Vec<f64>,
    http_p99: Vec<f64>,
    p99: Vec<f64>,
    p99_limit: Vec<f64>,
    delay: Vec<f64>,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let bare = BareLog::new(site).await?;
    let http = bare::start_http(site).await?;
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let requests = requests(site);
    let (mut found, mut accepted) = (IngestRounds::default(), 0);
    for _ in 0..rounds {
        let log = bare.append(IN_FLIGHT, MEASURED).await?;
        let cpu = http.cpu_seconds()?;
        let noop = closed(http.address, &requests).await?;
        let noop_cost = (http.cpu_seconds()? - cpu) / as_f64(noop.accepted);

        let cpu = replica.cpu_seconds()?;
        let chat = closed(replica.address, &requests).await?;
        accepted += chat.accepted;
        // What a message costs includes its way into the archive, which comes a little later.
        site.archived_all(&place, accepted).await?;
        let cost = (replica.cpu_seconds()? - cpu) / as_f64(chat.accepted);

        let rate = chat.rate / 2.0;
        let log_paced = bare.pace(rate, PACED).await?;
        let (http_p99, _, _) = paced(http.address, site, rate).await?;
        let (p99, delay, paced) = paced(replica.address, site, rate).await?;
        accepted += paced;
        site.archived_all(&place, accepted).await?;

        found.log_rate.push(log.per_second());
        found.http_rate.push(noop.rate);
        found.rate.push(chat.rate);
        found.rate_ratio.push(chat.rate / log.per_second().min(noop.rate));
        found.cost.push(cost * 1e6);
        found.cost_ratio.push(cost / (log.cpu_seconds_each() + noop_cost));
        found.log_p99.push(log_paced.p99_millis);
        found.http_p99.push(http_p99);
        found.p99.push(p99);
        found.p99_limit.push(p99 / (1.5 * log_paced.p99_millis + LINGER_MILLIS));
        found.delay.push(delay);
    }
    found.tell(report)?;
    replica.stop().await?;
    site.forget(&place).await
}

impl IngestRounds {
    fn tell(&self, report: &mut Report) -> Result<()> {
        let none = Goal::None;
        report.rounds("P1: bare log, 256 in flight", "1/s", &self.log_rate, none)?;
        report.rounds("P1: bare HTTP with the token's check", "1/s", &self.http_rate, none)?;
        report.rounds("P1: messages accepted", "1/s", &self.rate, none)?;
        let what = "P1: accepted / the slower of both";
        report.rounds(what, "ratio", &self.rate_ratio, Goal::AtLeast(0.7))?;
        report.rounds("P2: processor per message, archive included", "µs", &self.cost, none)?;
        let what = "P2: processor per message / both bare";
        report.rounds(what, "ratio", &self.cost_ratio, Goal::AtMost(1.5))?;
        report.rounds("P3: bare acknowledgement at half load, p99", "ms", &self.log_p99, none)?;
        report.rounds("P3: bare HTTP at half load, p99", "ms", &self.http_p99, none)?;
        report.rounds("P3: 202 at half load, p99", "ms", &self.p99, none)?;
        report.rounds("P3: of that the callers' own delay, p99", "ms", &self.delay, none)?;
        let what = "P3: 202 / (1.5 × acknowledgement + linger)";
        report.rounds(what, "ratio", &self.p99_limit, Goal::AtMost(1.0))
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

/// At a fixed rate: the 99th percentiles of the answers and of the callers' own delay, and how many
/// there were.
async fn paced(address: SocketAddr, site: &Site, per_second: f64) -> Result<(f64, f64, u64)> {
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
    Ok((p99, delay, accepted))
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
