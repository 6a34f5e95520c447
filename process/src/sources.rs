//! Where the time of day and randomness come from.
//!
//! The outermost layer of a program asks for [`Sources::system`] and hands it in; nothing beneath reads a
//! clock or opens a generator (`clippy.toml`), so a test decides what time it is and which id comes next.
//! How long something takes is measured with `tokio::time`, which tests can pause.

use chrono::{DateTime, Utc};
use uuid::{Builder, Uuid};

/// The time of day and the randomness of a process.
#[derive(Debug, Clone, Copy)]
pub struct Sources {
    /// The present moment.
    pub now: fn() -> DateTime<Utc>,
    /// Ten bytes that nobody can guess: as many as an id takes.
    pub random: fn() -> [u8; 10],
}

impl Sources {
    /// Those of the operating system.
    #[must_use]
    pub const fn system() -> Self {
        Self { now: system_time, random: system_random }
    }

    /// A new id that sorts by this time: UUIDv7, RFC 9562 §5.7. Times before 1970 count as 1970.
    #[must_use]
    pub fn id(&self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &(self.random)()).into_uuid()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
fn system_time() -> DateTime<Utc> {
    Utc::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place that opens the generator")]
fn system_random() -> [u8; 10] {
    use rand::RngExt as _;
    rand::rng().random()
}

#[cfg(test)]
#[path = "sources_tests.rs"]
mod tests;
