//! How much of a scenario is run.

/// How much of a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Whether it is the short run, of `./dev test`.
    pub short: bool,
    /// Messages under random disconnects.
    pub messages: u64,
}

impl Scale {
    /// One number for the short run, another for the long one.
    pub(super) fn of<T>(self, short: T, long: T) -> T {
        if self.short { short } else { long }
    }
}
