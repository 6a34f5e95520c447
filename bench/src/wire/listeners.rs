//! Many sockets that hear the same messages, and what each of them heard.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use super::socket::{HANG, Socket};
use crate::load::Schedule;

/// The mark of a message: its number, which every server passes on untouched within its content.
pub(crate) fn mark(n: u32) -> String {
    format!("[#{n:08}#]")
}

/// The numbers of the messages in a frame, which may hold several.
fn marks(frame: &str) -> impl Iterator<Item = u32> {
    frame.match_indices("[#").filter_map(|(at, _)| {
        let number = frame.get(at + 2..at + 10)?;
        (frame.get(at + 10..at + 12)? == "#]").then(|| number.parse().ok())?
    })
}

/// Which of the messages a socket hears: they go to so many rooms in turn, and it is in one of them.
#[derive(Debug, Clone, Copy)]
struct Share {
    room: u32,
    rooms: u32,
}

impl Share {
    /// How many of so many messages.
    fn of(self, messages: u32) -> usize {
        (self.room..messages).step_by(self.rooms as usize).count()
    }

    /// Which of its own a message is.
    fn place(self, n: u32) -> Option<usize> {
        (n % self.rooms == self.room).then_some((n / self.rooms) as usize)
    }
}

/// What one socket heard.
#[derive(Debug)]
pub(crate) struct Heard {
    /// Per message of its room how long after it was due, in microseconds.
    after: Vec<Option<u32>>,
    /// How many messages came more than once.
    repeats: usize,
    /// How many were another room's.
    strays: usize,
    /// Still open: a close would cost the server something before its time is read.
    _socket: Socket,
}

/// What all of them heard. Dropping it closes the sockets.
#[derive(Debug)]
pub(crate) struct Hearing(Vec<Heard>);

/// Sockets that listen to the messages of a schedule.
#[derive(Debug)]
pub(crate) struct Listeners {
    tasks: JoinSet<Result<Heard>>,
    expected: usize,
}

impl Listeners {
    /// Begins to listen, until every message was heard or can no longer be expected. Messages go to so many rooms in
    /// turn, and the sockets are in them in turn.
    pub(crate) fn begin(sockets: Vec<Socket>, schedule: Schedule, rooms: u32) -> Self {
        let expected = sockets.len();
        let mut tasks = JoinSet::new();
        for (room, socket) in (0..rooms).cycle().zip(sockets) {
            tasks.spawn(listen(socket, schedule, Share { room, rooms }));
        }
        Self { tasks, expected }
    }

    /// Waits until every socket has heard the last message.
    pub(crate) async fn finish(mut self) -> Result<Hearing> {
        let mut heard = Vec::with_capacity(self.expected);
        while let Some(task) = self.tasks.join_next().await {
            heard.push(task??);
        }
        Ok(Hearing(heard))
    }
}

async fn listen(mut socket: Socket, schedule: Schedule, share: Share) -> Result<Heard> {
    let mut after = vec![None; share.of(schedule.count)];
    let (mut missing, mut repeats, mut strays) = (after.len(), 0, 0);
    let limit = schedule.end() + HANG;
    while missing > 0 {
        let Ok(frame) = timeout_at(limit, socket.next()).await else { break };
        for n in marks(&frame?) {
            let Some(place) = share.place(n) else {
                strays += usize::from(n < schedule.count);
                continue;
            };
            // A message before the first one shows that all is well, and does not count.
            let Some(slot) = after.get_mut(place) else { continue };
            let micros = schedule.due(n).elapsed().as_micros();
            if slot.replace(u32::try_from(micros)?).is_some() {
                repeats += 1;
            } else {
                missing -= 1;
            }
        }
    }
    Ok(Heard { after, repeats, strays, _socket: socket })
}

impl Hearing {
    /// Fails unless each socket heard each message of its room once, and no other.
    pub(crate) fn ensure_whole(&self) -> Result<()> {
        let lost: usize = self.0.iter().map(|heard| count_missing(&heard.after)).sum();
        let repeats: usize = self.0.iter().map(|heard| heard.repeats).sum();
        let strays: usize = self.0.iter().map(|heard| heard.strays).sum();
        ensure!(
            lost == 0 && repeats == 0 && strays == 0,
            "{lost} deliveries are missing, {repeats} came again, {strays} came to another room"
        );
        Ok(())
    }

    /// How many different messages all sockets heard together.
    pub(crate) fn deliveries(&self) -> usize {
        self.0.iter().map(|heard| heard.after.len() - count_missing(&heard.after)).sum()
    }

    /// How long after it was due each delivery was.
    pub(crate) fn latencies(&self) -> impl Iterator<Item = Duration> {
        let all = self.0.iter().flat_map(|heard| heard.after.iter().flatten());
        all.map(|micros| Duration::from_micros(u64::from(*micros)))
    }

    /// How long after it was due the last socket heard each message. All are in one room.
    pub(crate) fn last_latencies(&self) -> impl Iterator<Item = Duration> {
        let messages = self.0.first().map_or(0, |heard| heard.after.len());
        (0..messages).filter_map(|n| {
            let last = self.0.iter().map(|heard| heard.after[n]).max()??;
            Some(Duration::from_micros(u64::from(last)))
        })
    }
}

fn count_missing(after: &[Option<u32>]) -> usize {
    after.iter().filter(|one| one.is_none()).count()
}

#[cfg(test)]
#[path = "listeners_tests.rs"]
mod tests;
