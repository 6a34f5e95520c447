//! The arrows out of the log: into the hub and into the archive.

pub mod archive;
pub mod fan_out;
mod partition_state;
mod presence;
mod rebuild;
mod stopped;

pub use archive::ArchiveReader;
pub use fan_out::{FanOut, Start};
pub use partition_state::PartitionState;
pub use presence::{PresencePublisher, PresenceReader, Teller, WARM_WITHIN};
pub use rebuild::{Rebuild, Rebuilt};
pub use stopped::Stopped;
