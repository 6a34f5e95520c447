//! What became of a record.

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is an event for whoever listens.
    New,
    /// Its id occurred before.
    Repeat,
    /// It is a proposal, and what it was judged on does not stand any more.
    Void,
}
