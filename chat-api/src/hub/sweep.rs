//! Taking events to those who hear their room, and what is offered besides.

use std::convert::Infallible;

use tokio::task::yield_now;

use super::Hub;
use super::memo::Memo;
use super::offer::Offer;
use crate::message::{Partition, RoomId};

/// How many listeners are swept between two looks at what else there is to do: a quarter of a millisecond,
/// at 8 µs for each `send`.
const CHUNK: usize = 32;

/// Somebody who hears a room.
pub trait Listener: Send + Sync {
    /// There may be more in the room than there was. Does not wait.
    fn sweep(&self, memo: &mut Memo);

    /// There is something that is worth having only now. `false` if the listener had to go without it, or
    /// without a part of it. Does not wait.
    fn offer(&self, offer: &dyn Offer) -> bool;
}

impl Hub {
    /// Takes every event to the listeners of one lane, for ever. Each lane is for one task. `delivered` gets
    /// how many events each pass has put on lines.
    pub async fn sweep(&self, lane: usize, delivered: impl Fn(u64)) -> Infallible {
        let mut swept = 0;
        loop {
            let (partition, room) = self.lanes[lane].next().await;
            delivered(self.sweep_room(lane, partition, &room, &mut swept).await);
        }
    }

    /// One pass over the listeners of one room. `swept` are those since this task last gave way.
    pub(super) async fn sweep_room(
        &self,
        lane: usize,
        partition: Partition,
        room: &RoomId,
        swept: &mut usize,
    ) -> u64 {
        let watched = &self.shards[partition.index()].watched;
        let mut memo = Memo::default();
        let mut some = watched.first(lane, room, CHUNK);
        loop {
            for (_, listener) in &some {
                listener.sweep(&mut memo);
            }
            *swept += some.len();
            let last = some.get(CHUNK - 1).map(|(last, _)| *last);
            drop(some);
            if *swept >= CHUNK {
                *swept = 0;
                yield_now().await;
            }
            let Some(last) = last else { return memo.events };
            some = watched.after(lane, room, last, CHUNK);
        }
    }

    /// Offers something to everybody who hears a room. Whether all of them have all of it.
    pub async fn offer(&self, partition: Partition, room: &RoomId, offer: &dyn Offer) -> bool {
        let watched = &self.shards[partition.index()].watched;
        let mut all_have_it = true;
        for lane in self.lanes() {
            let mut some = watched.some(lane, room, 0, CHUNK);
            loop {
                for (_, listener) in &some {
                    all_have_it &= listener.offer(offer);
                }
                let Some((last, _)) = some.get(CHUNK - 1) else { break };
                let next = last + 1;
                yield_now().await;
                some = watched.some(lane, room, next, CHUNK);
            }
        }
        all_have_it
    }
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
