//! How far people have read → the sockets of this replica.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::hub::{Hub, MarkerReach};
use crate::kafka::{LogError, MarkerItem, MarkerTail, Partitioner};
use crate::markers::KnownMarkers;
use crate::message::{DecodedMarker, Marker};
use crate::metrics;
use crate::sockets::Sockets;

/// Between two attempts to go on.
const AGAIN: Duration = Duration::from_millis(250);

/// The reader that tells sockets.
pub struct MarkerTeller {
    /// Reads the topic.
    pub tail: Arc<MarkerTail>,
    /// Knows who hears which room.
    pub hub: Arc<Hub>,
    /// Knows who has which sockets.
    pub sockets: Arc<Sockets>,
    /// Which partition a room is in.
    pub partitioner: Partitioner,
    /// What is remembered for those who set markers.
    pub known: Arc<KnownMarkers>,
}

impl MarkerTeller {
    /// Reads until it is stopped.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let item = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                item = self.tail.next() => item?,
            };
            match item {
                MarkerItem::Record(_, _, Ok(DecodedMarker::Known(marker))) => self.tell(&marker),
                MarkerItem::Record(_, _, Ok(DecodedMarker::Newer)) => {
                    metrics::marker_read(metrics::FAN_OUT, metrics::NEWER);
                }
                MarkerItem::Record(partition, position, Err(error)) => {
                    let offset = position.offset();
                    tracing::warn!(%partition, offset, %error, "a record is no marker");
                    metrics::marker_read(metrics::FAN_OUT, metrics::UNDECODABLE);
                }
                MarkerItem::OutOfRange => tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = self.go_on() => {}
                },
                MarkerItem::Trouble(error) => {
                    tracing::warn!(%error, "markers: the log is in trouble");
                }
            }
        }
    }

    fn tell(&self, marker: &Marker) {
        metrics::marker_read(metrics::FAN_OUT, metrics::TAKEN);
        self.known.note(marker);
        let partition = self.partitioner.of(&marker.room_id);
        match self.hub.mark(partition, marker, Instant::now()) {
            MarkerReach::Person => self.sockets.tell_marker(marker),
            MarkerReach::Room | MarkerReach::Nobody => {}
        }
    }

    /// The topic was cut off or made anew. What was missed whoever asks is told by the archive.
    async fn go_on(&self) {
        loop {
            match self.tail.restart().await {
                Ok(()) => return,
                Err(LogError::NoTopic(topic)) => tracing::warn!(topic, "markers: no topic"),
                Err(error) => tracing::warn!(%error, "markers: the log is in trouble"),
            }
            sleep(AGAIN).await;
        }
    }
}
