//! The arrows out of the log: into the hub and into the archive. Beside them, people find their way there.

pub mod archive;
pub mod fan_out;
mod partition_state;
mod people;
mod rebuild;
mod stopped;

pub use archive::ArchiveReader;
pub use fan_out::{FanOut, Start};
pub use partition_state::PartitionState;
pub use people::PeopleWriter;
pub use rebuild::{Rebuild, Rebuilt};
pub use stopped::Stopped;
