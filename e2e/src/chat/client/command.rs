//! What a client is told to do with its connection.

use std::time::Duration;

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The socket is dropped in the middle of whatever it does.
    Abruptly,
    /// With a close frame.
    Politely,
}

/// What a client is told to do with its connection.
pub(super) enum ClientCommand {
    Cut(Cut),
    /// Reads nothing for a while.
    Stall(Duration),
    /// Subscribes from where it was.
    Subscribe,
}
