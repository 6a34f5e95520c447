//! Where the time comes from.

use chrono::{DateTime, Utc};

/// The time of day. A service passes `chrono::Utc::now`; a test passes a clock that it moves.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

impl<F: Fn() -> DateTime<Utc> + Send + Sync + 'static> Clock for F {
    fn now(&self) -> DateTime<Utc> {
        self()
    }
}
