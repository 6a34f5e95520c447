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
}

impl HubArgs {
    /// Bytes per partition.
    #[must_use]
    pub fn ring_bytes(&self) -> usize {
        usize::try_from(self.chat_ring_bytes).unwrap_or(usize::MAX)
    }
}
