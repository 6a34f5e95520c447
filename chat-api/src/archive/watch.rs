//! One look at progress for all who wait for it.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{History, ReadError, Reader, progress};
use crate::message::{Partition, Position};

/// Between two looks while somebody waits: as long as a batch waits for more. Progress may come about
/// on another replica, which tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// After a look that failed at once: each of them is logged.
const FAILED_AGAIN: Duration = Duration::from_millis(500);

/// Up to where the partitions of a generation are held, as of the last look.
pub(super) struct ProgressWatch {
    generation: u16,
    /// In the order of their numbers.
    partitions: Vec<watch::Sender<Position>>,
    /// Somebody began to wait.
    wanted: Notify,
}

impl ProgressWatch {
    pub(super) fn new(generation: u16, partitions: usize) -> Self {
        let partition = |_| watch::Sender::new(Position::BEFORE_ALL);
        Self {
            generation,
            partitions: (0..partitions).map(partition).collect(),
            wanted: Notify::new(),
        }
    }

    /// The partitions that somebody waits for.
    fn waited_for(&self) -> Vec<Partition> {
        let waited_for = self.partitions.iter().enumerate();
        let waited_for = waited_for.filter(|(_, progress)| progress.receiver_count() > 0);
        let number = |(index, _)| Partition::from_number(i32::try_from(index).ok()?).ok();
        waited_for.filter_map(number).collect()
    }
}

/// Somebody who waits for the progress of a partition.
pub struct Wait {
    /// None if there is no such partition.
    progress: Option<watch::Receiver<Position>>,
    was_answered: bool,
}

impl Reader<'_> {
    /// Begins to wait for a partition's progress: from now on the archive is asked.
    #[must_use]
    pub fn wait(&self, partition: Partition) -> Wait {
        let ProgressWatch { partitions, wanted, .. } = &self.history().watch;
        // What was seen before does not count: a backup may have been put back since.
        let progress = partitions.get(partition.index()).map(watch::Sender::subscribe);
        wanted.notify_one();
        Wait { progress, was_answered: false }
    }
}

impl Wait {
    /// Completes when the partition is held up to a position, which whoever calls this limits in time.
    /// For a partition that there is not: never.
    pub async fn reached(&mut self, position: Position) {
        let Some(progress) = &mut self.progress else { return std::future::pending().await };
        // The sender lives as long as the history.
        while progress.changed().await.is_ok() {
            self.was_answered = true;
            if *progress.borrow_and_update() >= position {
                return;
            }
        }
    }

    /// Whether the archive said how far it is since this wait began.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        let unseen = |progress: &watch::Receiver<Position>| progress.has_changed().unwrap_or(false);
        self.was_answered || self.progress.as_ref().is_some_and(unseen)
    }
}

impl History {
    /// Looks at progress for as long as somebody waits for it, until it is stopped.
    pub async fn follow_progress(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look() => {}
            }
        }
    }

    async fn look(&self) {
        let partitions = self.watch.waited_for();
        if partitions.is_empty() {
            return self.watch.wanted.notified().await;
        }
        let again = match self.progress_of(partitions).await {
            Ok(seen) => {
                for (partition, position) in seen {
                    // Also if it is the same: it was looked at after whoever waits had begun to.
                    self.watch.partitions[partition.index()].send_replace(position);
                }
                LOOK_AGAIN
            }
            Err(error) => {
                tracing::warn!(%error, "archive: progress cannot be read");
                FAILED_AGAIN
            }
        };
        sleep(again).await;
    }

    pub(super) async fn progress_of(
        &self,
        partitions: Vec<Partition>,
    ) -> Result<Vec<(Partition, Position)>, ReadError> {
        let generation = self.watch.generation;
        let found = progress::find(self.progress.clone(), generation, partitions.clone());
        let found = self.operate(found).await?;
        let of = |partition: Partition| {
            Ok((partition, progress::of(generation, partition, &found)?.position))
        };
        partitions.into_iter().map(of).collect()
    }
}
