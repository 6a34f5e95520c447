//! A time as a way to find a place.
//!
//! The order of a room is the log's. Stamps follow it only nearly: they come from the clocks of several
//! replicas, a record may have waited, and a clock may have been wrong. What is looked for is the first
//! *place* whose stamp is a time or later, and stamps are ordered by index only: so the stamps nearest
//! to the time are looked at, and what stands around them in the log.

use futures_util::TryStreamExt as _;
use mongodb::Collection;
use mongodb::bson::{DateTime, Document, doc};

use crate::archive::mongo::{READ_TIMEOUT, number};
use crate::message::RoomId;

/// A stamp that is later than the log's own clock by more than this is not trusted. Clocks that are kept
/// by NTP differ by much less.
const AHEAD_MILLIS: i64 = 5 * 60 * 1000;
/// Within this no two places stand in another order than their stamps, if each was stamped no more than
/// [`AHEAD_MILLIS`] before or after the log had it.
const DISORDER_MILLIS: i64 = 2 * AHEAD_MILLIS;
/// Stamps within that time that are looked at, at most. A room that is louder is searched through that
/// many of them, which are those of some seconds: clocks that are kept differ by less.
const LOOKED_AT: i64 = 10_000;
/// Places before one, and after it, that tell what time it was in the log.
const WITNESSES: u32 = 10;
/// Wrong stamps that are passed over to find a place; each costs a few small queries.
const ROUNDS: usize = 16;

/// A message, as far as it matters here.
#[derive(Clone, Copy)]
struct Stamped {
    pos: i64,
    stamp: i64,
}

/// Looks for a place in a room.
pub(in crate::archive) struct Since {
    pub(in crate::archive) messages: Collection<Document>,
    pub(in crate::archive) room: RoomId,
    /// The time that is looked for, in milliseconds since 1970.
    pub(in crate::archive) time: i64,
    /// The present, in milliseconds since 1970.
    pub(in crate::archive) now: i64,
}

impl Since {
    /// The position of the first place that was stamped then or later.
    pub(in crate::archive) async fn find(self) -> mongodb::error::Result<Option<i64>> {
        let (mut best, mut below, mut not_trusted) = (None, i64::MAX, Vec::new());
        for _ in 0..ROUNDS {
            let Some(found) = self.nearest(below, &not_trusted).await? else { break };
            if self.is_ahead_of_the_log(found).await? {
                not_trusted.push(found.pos);
                continue;
            }
            best = Some(found.pos);
            // If what stands right before it was stamped then or later as well, this one came late into
            // the log, and its stamp does not tell where the others stand.
            let before = self.before(found.pos).await?;
            let is_late = |before: Stamped| {
                before.stamp >= self.time
                    && before.stamp <= self.latest()
                    && !not_trusted.contains(&before.pos)
            };
            if !before.is_some_and(is_late) {
                break;
            }
            below = found.pos;
        }
        Ok(best)
    }

    /// What the log cannot have been stamped with yet.
    fn latest(&self) -> i64 {
        self.now.saturating_add(AHEAD_MILLIS)
    }

    /// The first place among those with the stamps that are nearest to the time.
    async fn nearest(
        &self,
        below: i64,
        not_trusted: &[i64],
    ) -> mongodb::error::Result<Option<Stamped>> {
        let pos = doc! { "$lt": below, "$nin": not_trusted.to_vec() };
        let stamps = |until: i64| {
            doc! { "$gte": DateTime::from_millis(self.time), "$lte": DateTime::from_millis(until) }
        };
        let query = doc! {
            "room_id": self.room.as_str(), "timestamp": stamps(self.latest()), "pos": &pos
        };
        let earliest = self.messages.find_one(query).sort(doc! { "timestamp": 1, "pos": 1 });
        let earliest = earliest.projection(shown()).max_time(READ_TIMEOUT).await?;
        let Some(earliest) = earliest.as_ref().and_then(stamped) else { return Ok(None) };
        let until = self.latest().min(earliest.stamp.saturating_add(DISORDER_MILLIS));
        let query = doc! { "room_id": self.room.as_str(), "timestamp": stamps(until), "pos": &pos };
        let first = [
            doc! { "$match": query },
            // As the index has them.
            doc! { "$sort": { "timestamp": 1, "pos": 1 } },
            doc! { "$limit": LOOKED_AT },
            doc! { "$group": {
                "_id": null,
                // Compared by its first field, and so by place.
                "first": { "$min": { "pos": "$pos", "timestamp": "$timestamp" } },
            } },
        ];
        let mut first = self.messages.aggregate(first).max_time(READ_TIMEOUT).await?;
        let first = first.try_next().await?;
        let first = first.as_ref().and_then(|found| found.get_document("first").ok());
        Ok(Some(first.and_then(stamped).unwrap_or(earliest)))
    }

    /// Whether the log goes on with much earlier stamps. One that is much earlier than what stands before
    /// as well tells nothing: it comes from a clock that is slow.
    async fn is_ahead_of_the_log(&self, found: Stamped) -> mongodb::error::Result<bool> {
        let mut before = self.stamps(doc! { "$lt": found.pos }, -1).await?;
        before.sort_unstable();
        let was = before.get(before.len() / 2).copied().unwrap_or(i64::MIN);
        let is_credible =
            |stamp: i64| stamp <= self.latest() && stamp.saturating_add(DISORDER_MILLIS) >= was;
        let after = self.stamps(doc! { "$gt": found.pos }, 1).await?;
        let clock = after.into_iter().filter(|stamp| is_credible(*stamp)).max();
        Ok(clock.is_some_and(|clock| clock.saturating_add(AHEAD_MILLIS) < found.stamp))
    }

    /// The stamps of the places next to one.
    async fn stamps(&self, pos: Document, direction: i32) -> mongodb::error::Result<Vec<i64>> {
        let query = doc! { "room_id": self.room.as_str(), "pos": pos };
        let found = self.messages.find(query).sort(doc! { "pos": direction });
        let found = found.limit(i64::from(WITNESSES)).projection(shown()).max_time(READ_TIMEOUT);
        // One more than there can be: otherwise the server keeps the cursor for a second answer.
        let found: Vec<Document> = found.batch_size(WITNESSES + 1).await?.try_collect().await?;
        Ok(found.iter().filter_map(stamped).map(|one| one.stamp).collect())
    }

    async fn before(&self, pos: i64) -> mongodb::error::Result<Option<Stamped>> {
        let query = doc! { "room_id": self.room.as_str(), "pos": { "$lt": pos } };
        let before = self.messages.find_one(query).sort(doc! { "pos": -1 });
        let before = before.projection(shown()).max_time(READ_TIMEOUT).await?;
        Ok(before.as_ref().and_then(stamped))
    }
}

/// The fields to return: only those of the indexes, so that no document is read.
fn shown() -> Document {
    doc! { "_id": 0, "pos": 1, "timestamp": 1 }
}

fn stamped(document: &Document) -> Option<Stamped> {
    let stamp = document.get_datetime("timestamp").ok()?.timestamp_millis();
    Some(Stamped { pos: number(document.get("pos")?)?, stamp })
}
