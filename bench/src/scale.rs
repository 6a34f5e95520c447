//! How much is measured, and which part of it.

use clap::ValueEnum;

/// A part of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Networks,
    Goodput,
    Overload,
    Twins,
    Pages,
    Search,
    Addresses,
    Ingest,
    Deliveries,
    Memory,
    Latency,
    History,
    Archive,
    Stalled,
    Resume,
    Tokens,
    MyRooms,
    Mixture,
    Access,
    Storm,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Scale {
    /// Rounds of what is measured in turns; fewer than 5 are for trying out
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// How long an attack lasts; below 30 the pauses of a locked account are shorter in proportion
    #[arg(long, default_value = "30", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(crate) minutes: u32,

    /// Run only this part, of `login`, `accounts`, `chat` or `rooms`, and write nothing
    #[arg(long)]
    pub(crate) part: Option<Part>,

    /// Accounts that are searched; fewer are for trying out
    #[arg(long, default_value = "1000000", value_parser = clap::value_parser!(u32).range(10_000..=1_000_000))]
    pub(crate) accounts: u32,

    /// Pairs of a known and an unknown name, or address, that are compared
    #[arg(long, default_value = "2000", value_parser = clap::value_parser!(u32).range(40..=100_000))]
    pub(crate) pairs: u32,
}
