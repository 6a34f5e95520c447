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

impl Reader<'_> {
    /// Completes when a partition is held up to a position, which whoever calls this limits in time.
    /// For a partition that there is not: never.
    pub async fn reached(&self, partition: Partition, position: Position) {
        let watch = &self.history().watch;
        let Some(progress) = watch.partitions.get(partition.index()) else {
            return std::future::pending().await;
        };
        // What was seen before does not count: a backup may have been put back since.
        let mut progress = progress.subscribe();
        watch.wanted.notify_one();
        // The sender lives as long as the history.
        while progress.changed().await.is_ok() && *progress.borrow_and_update() < position {}
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
        match self.progress_of(partitions).await {
            Ok(seen) => {
                for (partition, position) in seen {
                    // Also if it is the same: it was looked at after whoever waits had begun to.
                    self.watch.partitions[partition.index()].send_replace(position);
                }
            }
            Err(error) => tracing::warn!(%error, "archive: progress cannot be read"),
        }
        sleep(LOOK_AGAIN).await;
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
