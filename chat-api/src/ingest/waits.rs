//! How long somebody who sends something waits for more than the log's word.

use std::time::Duration;

/// How long a send waits for the archive's word on its key. The answer is a convenience: without it
/// the message is appended again, and the readers of the log drop the repeat.
pub(super) const LOOKUP: Duration = Duration::from_millis(500);
/// How long a send waits for its own record to be read back, if only that tells its cursor.
pub(super) const READ_BACK: Duration = Duration::from_secs(2);
