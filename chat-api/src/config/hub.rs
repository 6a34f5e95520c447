//! What is kept in memory of what was said.

use clap::Args;

/// What is kept in memory of what was said.
#[derive(Debug, Clone, Args)]
pub struct HubArgs {
    /// Bytes of events that are kept in memory for each partition of the log, 131072 to 1073741824. Clients
    /// that are further behind are served by the archive.
    // The smallest holds the largest event. The default: 48 partitions with 1 MiB each stay far below
    // the memory of the smallest container.
    #[arg(long, env = "CHAT_RING_BYTES", default_value_t = 1 << 20,
          value_parser = clap::value_parser!(u32).range(131_072..=1 << 30))]
    pub chat_ring_bytes: u32,

    /// Bytes of all rooms whose members are kept in memory, 1048576 to 8589934592. Rooms that nobody hears
    /// are let go, and read again from MongoDB when somebody asks.
    // A person in a room takes 32 bytes: the default holds eight million of them.
    #[arg(long, env = "CHAT_ROOMS_BYTES", default_value_t = 256 << 20,
          value_parser = clap::value_parser!(u64).range(1 << 20..=8 << 30))]
    pub chat_rooms_bytes: u64,
}

impl HubArgs {
    /// Bytes per partition.
    #[must_use]
    pub fn ring_bytes(&self) -> usize {
        usize::try_from(self.chat_ring_bytes).unwrap_or(usize::MAX)
    }

    /// Bytes of all rooms.
    #[must_use]
    pub fn room_bytes(&self) -> usize {
        usize::try_from(self.chat_rooms_bytes).unwrap_or(usize::MAX)
    }
}
