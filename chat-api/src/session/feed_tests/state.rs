//! Where everybody is.

use tokio_tungstenite::tungstenite::Bytes;

use super::super::FeedState;
use crate::hub::{Frames, Memo};
use crate::message::Position;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// Records that the hub has taken in; the archive has them, too.
    pub(super) pushed: usize,
    /// The first record was replaced.
    pub(super) is_replaced: bool,
    /// The room waits to be swept.
    pub(super) is_dirty: bool,
    pub(super) sweep: Option<Sweep>,
    /// What the last pass has read: for a mistake.
    pub(super) kept: Memo,
    pub(super) sockets: [Socket; 2],
}

/// A pass under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sweep {
    /// The sockets, and which of their subscriptions.
    pub(super) todo: Vec<(usize, usize)>,
    pub(super) memo: Memo,
    /// It began after the first record was replaced.
    pub(super) is_new: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Socket {
    pub(super) taken: Vec<u8>,
    pub(super) rest: Vec<Bytes>,
    pub(super) space: usize,
    /// The last one is heard, unless it has ended; the others were left.
    pub(super) subscriptions: Vec<Heard>,
    pub(super) task: Task,
    pub(super) is_woken: bool,
    /// From where a page of the archive is under way.
    pub(super) page: Option<Position>,
    pub(super) has_acked: bool,
    pub(super) has_said_bye: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Heard {
    pub(super) state: FeedState,
    /// The first record that it is to have, and those that there were when it began.
    pub(super) from: usize,
    pub(super) since: usize,
    /// Events that were on the line before.
    pub(super) before: usize,
    pub(super) is_listed: bool,
    pub(super) news: bool,
    pub(super) more: bool,
}

/// Where a socket's task is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Task {
    /// It waits to be woken.
    Waiting,
    /// It has been woken, and flushes first.
    Running,
    /// It has looked whether it was woken for the room.
    Looked,
    /// It forgets, by mistake, that it was woken meanwhile.
    Forgetting,
    /// It puts the pieces of a page.
    Putting(Vec<Frames>),
}
