//! The arrows out of the log: into the hub and into the archive.

pub mod archive;
pub mod fan_out;
mod notices;
mod partition_state;
mod rebuild;
mod stopped;

pub use archive::ArchiveReader;
pub use fan_out::{FanOut, Start};
pub use notices::run_errands;
pub use partition_state::PartitionState;
pub use rebuild::{Rebuild, Rebuilt};
pub use stopped::Stopped;
