//! What the archive holds of the log: which generations of it, and up to where.

pub(super) mod generations;
pub(super) mod progress;
pub(super) mod watch;
