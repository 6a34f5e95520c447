//! The arrows out of the log: into the hub and into the archive.

pub mod archive;
pub mod fan_out;
mod stopped;

pub use archive::ArchiveReader;
pub use fan_out::FanOut;
pub use stopped::Stopped;
