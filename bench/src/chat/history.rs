//! P7: a page of a history costs what it costs, however long the history is.

use anyhow::{Context as _, Result, ensure};
use chat_api::message::{Cursor, Partition, Position};
use devstack::console::say;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::options::InsertManyOptions;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use super::sample::{MESSAGES, request};
use super::site::{Place, Replica, Site};
use crate::ceilings::documents;
use crate::load::quantile_millis;
use crate::report::{Goal, Report};
use crate::wire::dialect::ROOM;
use crate::wire::http::{Connection, Pool, get};

/// The lengths of the two histories, in messages.
const SHORT: u32 = 10_000;
const LONG: u32 = 1_000_000;

/// Documents that are inserted at once.
const BATCH: u32 = 10_000;

/// Messages of a page unless asked otherwise.
const PAGE: u32 = 50;

/// Pages of one measurement.
const PAGES: u32 = 200;

/// Where in a history of some size a page ends: before this position.
type Spot = fn(u32) -> Option<u32>;

/// Pages: the newest, one in the middle, the oldest.
const SPOTS: [(&str, Spot); 3] =
    [("head", |_| None), ("middle", |size| Some(size / 2)), ("oldest", |_| Some(PAGE + 1))];

/// A chat with a history of that many messages.
struct History {
    size: u32,
    place: Place,
    replica: Replica,
    /// For each spot, the same page asked for by as many people as there are pages in a measurement:
    /// chat-api limits how fast one of them may read.
    requests: Vec<Vec<Vec<u8>>>,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let short = History::make(site, SHORT).await?;
    let long = History::make(site, LONG).await?;
    let mut times = SPOTS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..rounds {
        for history in [&short, &long] {
            for (spot, (few, many)) in times.iter_mut().enumerate() {
                let time = history.page_millis(spot).await?;
                if history.size == SHORT { few.push(time) } else { many.push(time) }
            }
        }
    }
    for ((spot, _), (few, many)) in SPOTS.iter().zip(&times) {
        let ratios: Vec<f64> = many.iter().zip(few).map(|(many, few)| many / few).collect();
        report.rounds(format!("P7: page of 10⁴ messages, {spot}, p50"), "ms", few, Goal::None)?;
        report.rounds(format!("P7: page of 10⁶ messages, {spot}, p50"), "ms", many, Goal::None)?;
        let what = format!("P7: page, {spot}, 10⁶ / 10⁴");
        report.rounds(what, "ratio", &ratios, Goal::AtMost(1.3))?;
    }
    let keys = long.keys_examined(site).await?;
    report.once("P7: keys examined for a page, most", "", keys, Goal::AtMost(51.0))?;
    for history in [short, long] {
        history.replica.stop().await?;
        site.forget(&history.place).await?;
    }
    Ok(())
}

impl History {
    /// Its messages stand in the archive only: all but the first were never in the log.
    async fn make(site: &Site, length: u32) -> Result<Self> {
        let place = site.place().await?;
        let replica = site.serve(&place).await?;
        let shape = site.sample()?;
        Pool::open(replica.address, 1).await?.ask(&request(0, &site.tokens[0]), 202).await?;
        site.archived_all(&place, 1).await?;
        say(format!("a history of {length} messages is written"));
        let messages = site.messages(&place);
        for first in (1..=length).step_by(BATCH as usize) {
            let count = BATCH.min(length + 1 - first);
            let unordered = InsertManyOptions::builder().ordered(false).build();
            let documents = documents(shape.document(), first, count)?;
            messages.insert_many(documents).with_options(unordered).await?;
        }
        let partition = Partition::from_number(shape.partition)?;
        let before = |position: u32| {
            let position = Position::from_raw(i64::from(position))?;
            anyhow::Ok(format!("&before={}", Cursor { partition, position }))
        };
        let request = |(_, spot): &(&str, fn(u32) -> Option<u32>)| {
            let before = spot(length).map(before).transpose()?.unwrap_or_default();
            let path = format!("{MESSAGES}?room_id={ROOM}{before}");
            let people = site.tokens.iter().take(PAGES as usize);
            Ok(people.map(|token| get(&path, token)).collect())
        };
        let requests = SPOTS.iter().map(request).collect::<Result<_>>()?;
        Ok(Self { size: length, place, replica, requests })
    }

    /// How long half of the pages take at most.
    async fn page_millis(&self, spot: usize) -> Result<f64> {
        let mut connection = Connection::open(self.replica.address).await?;
        let mut times = Vec::new();
        for request in &self.requests[spot] {
            let start = Instant::now();
            let page = connection.ask(request).await?.expect(200)?;
            times.push(start.elapsed());
            let messages: Vec<IgnoredAny> = serde_json::from_slice(page)?;
            ensure!(messages.len() == PAGE as usize, "a page of {}", messages.len());
        }
        quantile_millis(0.5, times.into_iter())
    }

    /// The most keys that MongoDB looks at for one page, by its own account of chat-api's queries.
    async fn keys_examined(&self, site: &Site) -> Result<f64> {
        let database = site.database(&self.place);
        database.run_command(doc! { "profile": 2 }).await?;
        let mut connection = Connection::open(self.replica.address).await?;
        for request in self.requests.iter().filter_map(|people| people.first()) {
            connection.ask(request).await?.expect(200)?;
        }
        database.run_command(doc! { "profile": 0 }).await?;
        let profile = database.collection::<Document>("system.profile");
        let queries = doc! { "op": "query", "ns": format!("{}.messages", self.place.database) };
        let queries: Vec<Document> = profile.find(queries).await?.try_collect().await?;
        ensure!(queries.len() == self.requests.len(), "{} queries for 3 pages", queries.len());
        let keys = queries.iter().map(|query| query.get_i32("keysExamined"));
        let keys = keys.collect::<Result<Vec<i32>, _>>()?;
        Ok(f64::from(keys.into_iter().max().context("three pages were read")?))
    }
}
