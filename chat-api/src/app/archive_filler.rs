//! How the archive's reader starts: once MongoDB has answered.

use service_process::sources::Sources;
use tokio_util::sync::CancellationToken;

use crate::archive::Archive;
use crate::kafka::{DeadLetters, Decoder, GroupConsumer, Log};
use crate::workers::{ArchiveReader, Stopped};

/// What fills the archive, once MongoDB has answered: sends and sockets do not need it.
pub(super) struct ArchiveFiller {
    pub(super) archive: Archive,
    pub(super) log: Log,
    pub(super) decoder: Decoder,
    pub(super) partitions: usize,
    pub(super) stopped: Stopped,
    pub(super) sources: Sources,
}

impl ArchiveFiller {
    pub(super) async fn run(
        self,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> anyhow::Result<()> {
        let Self { archive, log, decoder, partitions, stopped, sources } = self;
        // Whether MongoDB is there makes no difference to what else is served.
        stopped.show();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            checked = archive.generations.check_until_answered(log.generation, partitions) => {
                checked?;
            }
        }
        let group = GroupConsumer::join(&log, decoder)?;
        let dead_letters = DeadLetters::new(log);
        ArchiveReader::new(group, archive, dead_letters, stopped, sources).run(stop, abort).await
    }
}
