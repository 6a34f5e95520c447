//! How often people and sockets may do something; each replica counts for itself.

use std::num::NonZeroU32;

use clap::Args;
use service_process::cli::up_to;

use crate::rate::Rate;

/// More than anybody needs, and too few to fill anybody's list.
const ROOMS_PER_DAY: NonZeroU32 = NonZeroU32::new(20).expect("not zero");

/// How often people and sockets may do something; each replica counts for itself.
#[derive(Debug, Clone, Args)]
pub struct LimitsArgs {
    /// Messages a second that one person may send, by requests and sockets together, 1 to 1000000.
    #[arg(long, env = "LIMIT_SENDS_PER_SECOND", default_value_t = Rate::SENDS.per_second, value_parser = up_to(1_000_000))]
    pub limit_sends_per_second: NonZeroU32,

    /// Messages that one person may send at once, 1 to 1000000.
    #[arg(long, env = "LIMIT_SENDS_BURST", default_value_t = Rate::SENDS.burst, value_parser = up_to(1_000_000))]
    pub limit_sends_burst: NonZeroU32,

    /// Reads of the archive a second that one person may cause, 1 to 1000000.
    #[arg(long, env = "LIMIT_READS_PER_SECOND", default_value_t = Rate::READS.per_second, value_parser = up_to(1_000_000))]
    pub limit_reads_per_second: NonZeroU32,

    /// Reads of the archive that one person may cause at once, 1 to 1000000.
    #[arg(long, env = "LIMIT_READS_BURST", default_value_t = Rate::READS.burst, value_parser = up_to(1_000_000))]
    pub limit_reads_burst: NonZeroU32,

    /// Rooms that one person may make in a day, 1 to 1000000. Direct ones do not count.
    #[arg(long, env = "LIMIT_ROOMS_PER_DAY", default_value_t = ROOMS_PER_DAY, value_parser = up_to(1_000_000))]
    pub limit_rooms_per_day: NonZeroU32,

    /// Frames a second that a client may send on one socket, of any kind, 1 to 1000000.
    #[arg(long, env = "LIMIT_FRAMES_PER_SECOND", default_value_t = Rate::FRAMES.per_second, value_parser = up_to(1_000_000))]
    pub limit_frames_per_second: NonZeroU32,

    /// Frames that a client may send on one socket at once, of any kind, 1 to 1000000.
    #[arg(long, env = "LIMIT_FRAMES_BURST", default_value_t = Rate::FRAMES.burst, value_parser = up_to(1_000_000))]
    pub limit_frames_burst: NonZeroU32,
}

impl LimitsArgs {
    /// How fast one person may speak.
    #[must_use]
    pub fn sends(&self) -> Rate {
        Rate { per_second: self.limit_sends_per_second, burst: self.limit_sends_burst }
    }

    /// How fast one person may read of the archive.
    #[must_use]
    pub fn reads(&self) -> Rate {
        Rate { per_second: self.limit_reads_per_second, burst: self.limit_reads_burst }
    }

    /// How many frames a client may send on one socket.
    #[must_use]
    pub fn frames(&self) -> Rate {
        Rate { per_second: self.limit_frames_per_second, burst: self.limit_frames_burst }
    }
}
