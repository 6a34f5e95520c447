//! One look at progress for all who wait for it.

use tokio::sync::{Notify, watch};

use crate::message::{Partition, Position};

/// Up to where the partitions of a generation are held, as of the last look.
pub(in crate::archive) struct ProgressWatch {
    /// The position last seen of each partition, in the order of their numbers.
    partitions: Vec<watch::Sender<Position>>,
    /// Somebody began to wait.
    wanted: Notify,
}

impl ProgressWatch {
    pub(in crate::archive) fn new(partitions: usize) -> Self {
        let partition = |_| watch::Sender::new(Position::BEFORE_ALL);
        Self { partitions: (0..partitions).map(partition).collect(), wanted: Notify::new() }
    }

    /// Begins to wait for a partition's progress: from now on the archive is asked.
    pub(in crate::archive) fn wait(&self, partition: Partition) -> Wait {
        // What was seen before does not count: a backup may have been put back since.
        let progress = self.partitions.get(partition.index()).map(watch::Sender::subscribe);
        self.wanted.notify_one();
        Wait { progress, was_answered: false }
    }

    /// The partitions that somebody waits for.
    pub(in crate::archive) fn waited_for(&self) -> Vec<Partition> {
        let waited_for = self.partitions.iter().enumerate();
        let waited_for = waited_for.filter(|(_, progress)| progress.receiver_count() > 0);
        let number = |(index, _)| Partition::from_number(i32::try_from(index).ok()?).ok();
        waited_for.filter_map(number).collect()
    }

    /// Completes when somebody has begun to wait since the last time.
    pub(in crate::archive) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Tells everybody what was seen of these partitions.
    pub(in crate::archive) fn saw(&self, seen: Vec<(Partition, Position)>) {
        for (partition, position) in seen {
            // Also if it is the same: it was looked at after whoever waits had begun to.
            self.partitions[partition.index()].send_replace(position);
        }
    }
}

/// Somebody who waits for the progress of a partition.
pub struct Wait {
    /// None if there is no such partition.
    progress: Option<watch::Receiver<Position>>,
    was_answered: bool,
}

impl Wait {
    /// Completes when the partition is held up to a position, which whoever calls this limits in time.
    /// For a partition that there is not: never.
    pub async fn reached(&mut self, position: Position) {
        let Some(progress) = &mut self.progress else { return std::future::pending().await };
        // The sender lives as long as the reads.
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
