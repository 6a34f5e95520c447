//! All SQL of this service. No policy: it says what is stored, not what that means.

mod audit;
mod backlog;
mod due;
mod guard;
mod login;
mod mail;
mod names;
mod partitions;
mod reach;
mod reserve;
mod revocations;
mod seed;
mod sessions;
mod sweep;
mod tickets;
mod trail;
mod unit_of_work;
mod users;

use std::time::Duration;

use chrono::TimeDelta;
use secrecy::SecretString;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::postgres::types::PgInterval;
use thiserror::Error;

pub use backlog::Backlog;
pub use due::DueWork;
pub use login::{AccountStatus, Candidate};
pub use names::Unreachable;
pub use reach::InvalidDsn;
pub use reserve::{ChargeConnection, Resolved};
pub use revocations::Revocation;
pub use seed::{Existing, Named, NewAccount};
pub use trail::{Line, TrailQuery};
pub use unit_of_work::UnitOfWork;
pub use users::{AccountFilter, KnownNetwork, Listed, PasswordFacts};

/// How long a login waits for the database in one step. With it an outage is answered within 2 s.
pub const LONGEST_STEP: Duration = Duration::from_millis(1500);

/// How long a statement is waited for that must not be given up: the life of a charge. What answers
/// later than that is a broken connection.
const LONGEST_STATEMENT: Duration = Duration::from_secs(30);

/// Connections of one process unless it is told otherwise. A login holds none while it hashes, so few
/// serve many.
pub const CONNECTIONS: u32 = 10;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The accounts database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

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

impl Store {
    /// Opens the store without connecting: connections are made when they are needed.
    pub fn open(dsn: &SecretString) -> Result<Self, InvalidDsn> {
        Self::open_with(dsn, CONNECTIONS)
    }

    /// Opens the store with at most `connections` connections.
    pub fn open_with(dsn: &SecretString, connections: u32) -> Result<Self, InvalidDsn> {
        let options = reach::parse(dsn)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(LONGEST_STEP)
            .connect_lazy_with(options.application_name("auth-connector"));
        Ok(Self { pool })
    }

    /// A part of the connections, one of `parts`, at least one.
    #[must_use]
    pub fn share(&self, parts: u32) -> usize {
        let share = self.pool.options().get_max_connections() / parts;
        usize::try_from(share).unwrap_or(usize::MAX).max(1)
    }

    /// Brings the tables up to date. Two at once do not collide.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        MIGRATIONS.run(&self.pool).await.map_err(Into::into)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        in_time(async { sqlx::query!("select 1 as one").fetch_one(&self.pool).await }).await?;
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A length of time as PostgreSQL takes it.
fn interval(length: TimeDelta) -> PgInterval {
    PgInterval { months: 0, days: 0, microseconds: length.num_microseconds().unwrap_or(i64::MAX) }
}

/// A step that somebody waits for.
async fn in_time<T, E: Into<StoreError>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    within(LONGEST_STEP, step).await
}

/// A statement that changes what must not stay in doubt. It is carried out once it is sent, so it is
/// better to know when.
async fn to_the_end<T>(step: impl Future<Output = sqlx::Result<T>>) -> Result<T, StoreError> {
    within(LONGEST_STATEMENT, step).await
}

async fn within<T, E: Into<StoreError>>(
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, step).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(StoreError::TimedOut),
    }
}
