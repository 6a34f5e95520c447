//! All SQL of this service. No policy: it says what is stored, not what that means.

mod activity;
mod addresses;
mod audit;
mod backlog;
mod due;
mod error;
mod flows;
mod guard;
mod interval;
mod invitations;
mod login;
mod mail;
mod names;
mod partitions;
mod proved;
mod reach;
mod reserve;
mod revocations;
mod search;
mod seed;
mod sessions;
mod signed;
mod step;
mod sweep;
mod tickets;
mod timeouts;
mod trail;
mod unit_of_work;
mod users;

use secrecy::SecretString;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;

pub use activity::Happened;
pub use addresses::{NewAddress, Restored};
pub use backlog::Backlog;
pub use due::DueWork;
pub use error::StoreError;
pub use flows::{CodeMail, NewFlow, OpenFlow};
pub use invitations::{Invitation, InvitationMail};
pub use login::{AccountStatus, Candidate};
pub use mail::DeadMail;
pub use names::Unreachable;
pub use proved::{ProvedAddress, ProvedFlow};
pub use reach::InvalidDsn;
pub use reserve::{ChargeConnection, Resolved};
pub use revocations::Revocation;
pub use search::{Found, Page, Wanted};
pub use seed::{Existing, Named, NewAccount};
pub use signed::{Held, Profile, ProfileChange};
pub use tickets::{NewTicket, UnusedTicket};
pub use timeouts::LONGEST_STEP;
pub use trail::{Line, TrailQuery};
pub use unit_of_work::UnitOfWork;
pub use users::{AccountFilter, KnownNetwork, Listed, PasswordFacts};

use step::in_time;

/// Connections of one process unless it is told otherwise. A login holds none while it hashes, so few
/// serve many.
pub const CONNECTIONS: u32 = 10;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// The accounts database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
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
}
