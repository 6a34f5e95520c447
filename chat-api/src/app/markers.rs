//! What carries markers: from whoever sets one into the topic, and from there to sockets and archive.

use std::sync::Arc;

use service_process::lifecycle::Tasks;
use tokio_util::sync::CancellationToken;

use crate::archive::Archive;
use crate::ingest::MarkerLog;
use crate::kafka::{Bounds, Log, LogError, MarkerShare, MarkerTail, Producer};
use crate::service::Service;
use crate::workers::{MarkerArchive, MarkerTeller};

/// The parts that run by themselves, and what those who set markers need of them.
pub(super) struct MarkerParts {
    pub(super) set: MarkerLog,
    tail: Arc<MarkerTail>,
    archive: Archive,
    log: Log,
}

impl MarkerParts {
    /// Of that log, which is read from where the tail begins, into that archive. `replica` is the name of this
    /// replica, if it has one.
    pub(super) fn new(
        (log, tail): (&Log, Arc<MarkerTail>),
        archive: &Archive,
        bounds: Bounds,
        replica: Option<String>,
    ) -> Result<Self, LogError> {
        let producer = Producer::of_markers(log, tail.partitioner(), bounds, replica)?;
        let set = MarkerLog { producer: Arc::new(producer), known: Arc::default() };
        Ok(Self { set, tail, archive: archive.clone(), log: log.clone() })
    }

    /// Runs them: what reads for the sockets until the one token, the others until the other.
    pub(super) fn run(
        self,
        tasks: &Tasks,
        service: &Service,
        fan_out_stop: CancellationToken,
        downstream: CancellationToken,
    ) {
        let Self { set: MarkerLog { producer, known }, tail, archive, log } = self;
        let (hub, sockets) = (Arc::clone(&service.hub), Arc::clone(&service.sockets));
        let partitioner = service.partitioner;
        let teller = MarkerTeller { tail, hub, sockets, partitioner, known };
        tasks.worker("marker-teller", teller.run(fan_out_stop));
        tasks.worker("marker-producer", producer.look_after(downstream.clone()));
        let abort = tasks.aborting().clone();
        tasks.worker("marker-archive", async move {
            // Waits for MongoDB by itself.
            let reader = MarkerShare::join(&log)?;
            MarkerArchive::new(reader, archive).run(downstream, abort).await
        });
    }
}
