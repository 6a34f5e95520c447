//! The topics that are kept for minutes.

use super::Log;

/// A topic that is kept for minutes. What it holds is told anew, or of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShortLived {
    /// Who is online.
    Presence,
    /// Who is typing.
    Ephemeral,
}

impl ShortLived {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Presence, Self::Ephemeral];

    /// Its label in metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Ephemeral => "ephemeral",
        }
    }

    /// Its name in that log.
    #[must_use]
    pub fn name(self, log: &Log) -> String {
        match self {
            Self::Presence => log.presence(),
            Self::Ephemeral => log.ephemeral(),
        }
    }
}
