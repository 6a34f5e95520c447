//! What this release may write, while another one runs beside it.

use clap::Args;
use service_process::cli::item;

use crate::ingest::{NewKind, Writes};

/// What this release may write, while another one runs beside it.
#[derive(Debug, Clone, Args)]
pub struct WritesArgs {
    /// What may come into the log beside messages, of `edit`, `delete`, `react`, `pin`, `reply`,
    /// `room`, `member` and `marker`, separated by commas; nothing if left out, and calls that need it are answered by 503 `not-open-yet`. Open them
    /// when every replica is of a release that reads them: one of a release before holds its archive at
    /// the first.
    #[arg(long, env = "CHAT_WRITES", value_delimiter = ',', value_parser = item(parse as fn(&str) -> Result<NewKind, String>))]
    pub chat_writes: Vec<NewKind>,
}

impl WritesArgs {
    /// What may be written.
    #[must_use]
    pub fn writes(&self) -> Writes {
        Writes::of(self.chat_writes.clone())
    }
}

fn parse(text: &str) -> Result<NewKind, String> {
    NewKind::of_name(text).ok_or_else(|| {
        "expected edit, delete, react, pin, reply, room, member or marker".to_owned()
    })
}
