//! Where the time comes from.

use chrono::{DateTime, Utc};

/// The time of day: any function that tells it. A service passes the one that all of it uses; a test passes
/// one that it moves.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

impl<F: Fn() -> DateTime<Utc> + Send + Sync + 'static> Clock for F {
    fn now(&self) -> DateTime<Utc> {
        self()
    }
}
