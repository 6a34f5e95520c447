//! The list of one's rooms, which is made anew each time, against a page of a history of as many.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::chat::rooms;
use crate::chat::sample::{MESSAGES, request_to};
use crate::chat::site::{NO_LIMITS, Place, Replica, Site};
use crate::load::quantile_millis;
use crate::report::{Goal, Report};
use crate::wire::http::{Connection, get};

/// Rooms of the one person.
const ROOMS: usize = 200;

/// Rooms, or messages, of a page unless asked otherwise.
const PAGE: u32 = 50;

/// Pages of one measurement.
const PAGES: u32 = 200;

/// The most index keys of a page: for each of the 200 rooms its membership, what it is and what was said last, and for each
/// of the 50 that are shown a marker and up to 101 messages behind it.
const KEYS: f64 = 600.0 + 50.0 * 102.0;

/// Between two looks at what the archive has, and after how long it should have all.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
const HANG: Duration = Duration::from_mins(1);

/// Somebody with many rooms.
struct Person {
    place: Place,
    replica: Replica,
    rooms: Vec<u8>,
    history: Vec<u8>,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let person = Person::with_rooms(site).await?;
    let mut connection = Connection::open(person.replica.address).await?;
    let (mut mine, mut history, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let page = millis(&mut connection, &person.history).await?;
        let list = millis(&mut connection, &person.rooms).await?;
        mine.push(list);
        history.push(page);
        ratios.push(list / page);
    }
    report.rounds("page of 50 messages, p50", "ms", &history, Goal::None)?;
    report.rounds("page of 50 of one's 200 rooms, p50", "ms", &mine, Goal::None)?;
    report.rounds("page of one's rooms / of messages", "ratio", &ratios, Goal::None)?;
    let keys = person.keys_examined(site).await?;
    report.once("keys examined for a page of one's rooms", "", keys, Goal::AtMost(KEYS))?;
    person.replica.stop().await?;
    site.forget(&person.place).await
}

impl Person {
    /// Something was said in each of the rooms, and in the first one a page.
    async fn with_rooms(site: &Site) -> Result<Self> {
        let place = site.place().await?;
        let replica = site.serve_with(&place, &NO_LIMITS).await?;
        let token = site.tokens.first().context("there are people")?;
        let made = rooms::make(&replica, &vec![token.clone(); ROOMS]).await?;
        let first = made.first().context("rooms were made")?;
        let mut connection = Connection::open(replica.address).await?;
        let more = std::iter::repeat_n(first, PAGE as usize);
        let mut said = 0;
        for (n, room) in (0..).zip(made.iter().chain(more)) {
            connection.ask(&request_to(room, n, token)).await?.expect(202)?;
            said += 1;
        }
        site.archived_all(&place, said).await?;
        let history = get(&format!("{MESSAGES}?room_id={first}&limit={PAGE}"), token);
        let list = |limit: usize| get(&format!("/v1/rooms?limit={limit}"), token);
        let deadline = Instant::now() + HANG;
        while length(connection.ask(&list(ROOMS)).await?.expect(200)?)? < ROOMS {
            ensure!(Instant::now() < deadline, "the archive does not have all rooms");
            sleep(LOOK_AGAIN).await;
        }
        Ok(Self { place, replica, rooms: list(PAGE as usize), history })
    }

    /// The index keys that MongoDB looks at for a page of one's rooms, by its own account of chat-api's query.
    async fn keys_examined(&self, site: &Site) -> Result<f64> {
        let database = site.database(&self.place);
        database.run_command(doc! { "profile": 2 }).await?;
        let mut connection = Connection::open(self.replica.address).await?;
        connection.ask(&self.rooms).await?.expect(200)?;
        database.run_command(doc! { "profile": 0 }).await?;
        let profile = database.collection::<Document>("system.profile");
        let queries = doc! { "op": "command", "ns": format!("{}.rooms_of", self.place.database) };
        let queries: Vec<Document> = profile.find(queries).await?.try_collect().await?;
        let [query] = queries.as_slice() else {
            anyhow::bail!("{} queries for a page", queries.len())
        };
        Ok(f64::from(query.get_i32("keysExamined").context("MongoDB counts keys")?))
    }
}

/// How long half of the pages take at most.
async fn millis(connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..PAGES {
        let start = Instant::now();
        let page = connection.ask(request).await?.expect(200)?;
        times.push(start.elapsed());
        let length = length(page)?;
        ensure!(length == PAGE as usize, "a page of {length}");
    }
    quantile_millis(0.5, times.into_iter())
}

fn length(page: &[u8]) -> Result<usize> {
    Ok(serde_json::from_slice::<Vec<Value>>(page)?.len())
}
