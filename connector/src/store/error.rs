//! How the database fails.

use thiserror::Error;

use super::timeouts::LONGEST_STEP;

/// The database did not answer as it must.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached.
    #[error("PostgreSQL cannot be reached: {place}: {reason}")]
    Unreachable {
        /// Which database it is and where.
        place: String,
        /// What the connection failed with.
        reason: String,
    },
    /// No connection became free, or none could be made, in time.
    #[error("there was no connection to the database within {} ms", LONGEST_STEP.as_millis())]
    NoConnection,
    /// A connection broke, or it answered with an error.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// It did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// A stored value is none that this program would write.
    #[error("a stored {what} of account {account} is not usable")]
    Corrupt {
        /// What is broken. Never its value.
        what: &'static str,
        /// Whose it is.
        account: uuid::Uuid,
    },
    /// A stored value of a flow is none that this program would write.
    #[error("a stored purpose of flow {flow} is not usable")]
    CorruptFlow {
        /// Whose it is.
        flow: uuid::Uuid,
    },
    /// The tables could not be brought up to date.
    #[error("the migration failed")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// Two accounts cannot share this.
    #[error("{field} belongs to another account")]
    Taken {
        /// The field, as a person knows it.
        field: &'static str,
    },
    /// The role cannot be the services'.
    #[error("SERVICE_ROLE: {0}")]
    ServiceRole(&'static str),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::NoConnection,
            error => Self::Database(error),
        }
    }
}

impl StoreError {
    /// Whether a statement that ended so may have been carried out, or be carried out yet. Without a
    /// connection nothing was sent, and what the database itself refused is undone.
    #[must_use]
    pub fn leaves_doubt(&self) -> bool {
        match self {
            Self::TimedOut => true,
            Self::Database(error) => error.as_database_error().is_none(),
            _ => false,
        }
    }

    /// Whether the database refused a statement for good. Lost connections, conflicts, a lack of
    /// resources and an operator who intervenes pass (classes 08, 40, 53 and 57 of SQLSTATE).
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let passes =
            |code: &str| ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class));
        error
            .as_database_error()
            .is_some_and(|error| !error.code().is_some_and(|code| passes(&code)))
    }
}
