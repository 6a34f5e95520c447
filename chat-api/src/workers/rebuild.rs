//! Log → archive once more, by hand.

use crate::archive::{Archive, Batch, RoomBatch, Stored};
use crate::kafka::{Decoder, Log, LogError, Scan};
use crate::message::{Decoded, DecodedMarker, Event, Marker, Partition};
use crate::workers::PartitionState;

/// As many as the archive's reader writes at once.
const BATCH_RECORDS: usize = 1_000;

/// Stores again what the log holds. Whatever the archive holds is left as it is, but for changes that a
/// message lacks, and so is progress: readers beside it do not notice.
pub struct Rebuild {
    log: Log,
    scan: Scan,
    archive: Archive,
    decoder: Decoder,
    generation: u16,
}

/// What a partition came to.
#[derive(Debug, Clone, Copy)]
pub struct Rebuilt {
    /// Where it stands between its progress and the log.
    pub state: PartitionState,
    /// Records that were read.
    pub records: usize,
    /// Messages, and changes of them, that the archive did not hold.
    pub fresh: usize,
    /// Records that cannot be read, or that MongoDB refuses. They are the archive reader's, which
    /// makes dead letters of them.
    pub dead: usize,
    /// Records that a later release wrote and that progress has not passed. Its readers store them.
    pub newer: usize,
}

impl Rebuild {
    /// From that log into that archive.
    pub fn new(log: &Log, archive: Archive, decoder: Decoder) -> anyhow::Result<Self> {
        let generation = log.generation;
        let (scan, log) = (Scan::new(log, log.messages())?, log.clone());
        Ok(Self { log, scan, archive, decoder, generation })
    }

    /// Stores everything that a partition holds now.
    pub async fn partition(&mut self, partition: Partition) -> anyhow::Result<Rebuilt> {
        let range = self.scan.range(partition).await?;
        let progress = self.archive.progress.read(self.generation, &[partition]).await?[0].1;
        let state = PartitionState { partition, progress, range };
        // What lies before was stored by a later release, or taken by an operator.
        let waits_from = state.begin().unwrap_or(range.start);
        let mut rebuilt = Rebuilt { state, records: 0, fresh: 0, dead: 0, newer: 0 };
        self.scan.begin(partition, range)?;
        let mut events = Vec::with_capacity(BATCH_RECORDS);
        while let Some(raw) = self.scan.next().await? {
            rebuilt.records += 1;
            let position = raw.position;
            let (key, value) = (raw.key.as_deref(), raw.value.as_deref());
            match self.decoder.decode(key, value, partition) {
                Ok(Decoded::Known(envelope)) => {
                    events.push(Event { partition, position, envelope });
                }
                Ok(Decoded::Newer(_)) => rebuilt.newer += usize::from(waits_from <= position),
                Err(_) => rebuilt.dead += 1,
            }
            if events.len() == BATCH_RECORDS {
                self.store(&mut events, &mut rebuilt).await?;
            }
        }
        self.store(&mut events, &mut rebuilt).await?;
        Ok(rebuilt)
    }

    async fn store(&self, events: &mut Vec<Event>, rebuilt: &mut Rebuilt) -> anyhow::Result<()> {
        let Stored { fresh, refused } = self.archive.store(&Batch::of(&*events)).await?;
        let held = self.archive.rooms.store(&RoomBatch::of(&*events)).await?;
        rebuilt.fresh += fresh;
        rebuilt.dead += refused.len() + held.len();
        events.clear();
        Ok(())
    }

    /// Stores again up to where people have read, as far as the topic with markers tells: the last that each
    /// of them has set. Returns how many records that were.
    pub async fn markers(&self) -> anyhow::Result<usize> {
        let (log, topic) = (Log { generation: 0, ..self.log.clone() }, self.log.markers());
        let (asked, name) = (log.clone(), topic.clone());
        let partitioner = tokio::task::spawn_blocking(move || asked.partitions_of(&name)).await;
        let partitioner = partitioner.map_err(|_| LogError::Died)??;
        let mut scan = Scan::new(&log, topic)?;
        let (mut markers, mut records) = (Vec::with_capacity(BATCH_RECORDS), 0);
        for partition in partitioner.all() {
            let range = scan.range(partition).await?;
            scan.begin(partition, range)?;
            while let Some(raw) = scan.next().await? {
                records += 1;
                // What nobody can read, or only a later release, its readers pass over as well.
                let read = Marker::decode(raw.key.as_deref(), raw.value.as_deref());
                if let Ok(DecodedMarker::Known(marker)) = read {
                    markers.push(marker);
                }
                if markers.len() == BATCH_RECORDS {
                    self.archive.markers.advance(&markers).await?;
                    markers.clear();
                }
            }
        }
        self.archive.markers.advance(&markers).await?;
        Ok(records)
    }

    /// Has the archive's readers read a partition from the start of the log.
    pub async fn reset(&self, partition: Partition) -> anyhow::Result<()> {
        Ok(self.archive.progress.forget(self.generation, &[partition]).await?)
    }
}
