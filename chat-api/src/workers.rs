//! The arrows out of the log: into the hub and into the archive. Beside them, people find their way there.

pub mod archive;
pub mod fan_out;
mod marker_archive;
mod marker_teller;
mod notices;
mod partition_state;
mod people;
mod presence;
mod rebuild;
mod stopped;

pub use archive::ArchiveReader;
pub use fan_out::{FanOut, Start};
pub use marker_archive::MarkerArchive;
pub use marker_teller::MarkerTeller;
pub use notices::run_errands;
pub use partition_state::PartitionState;
pub use people::PeopleWriter;
pub use presence::{PresencePublisher, PresenceReader, Teller, WARM_WITHIN};
pub use rebuild::{Rebuild, Rebuilt};
pub use stopped::Stopped;
