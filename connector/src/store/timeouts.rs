//! How long the database is waited for.

use std::time::Duration;

/// How long a login waits for the database in one step. With it an outage is answered within 2 s.
pub const LONGEST_STEP: Duration = Duration::from_millis(1500);

/// How long a statement is waited for that must not be given up: the life of a charge. What answers
/// later than that is a broken connection.
pub(super) const LONGEST_STATEMENT: Duration = Duration::from_secs(30);
