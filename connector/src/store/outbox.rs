//! Mail to be written.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::{Store, StoreError, to_the_end};
use crate::account::AccountId;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// Too many attempts failed: the account is closed to strangers.
    AccountLocked,
    /// The password was right and has to be changed first: how to do that.
    MustChange,
}

impl MailKind {
    fn name(self) -> &'static str {
        match self {
            Self::AccountLocked => "account_locked",
            Self::MustChange => "must_change",
        }
    }

    /// For how many hours one mail of this kind is enough. A lock can be caused by anybody, so its
    /// notice must not become a weapon of its own; a password that has to be changed is asked for by
    /// whoever knows it.
    fn enough_for_hours(self) -> i32 {
        match self {
            Self::AccountLocked => 24,
            Self::MustChange => 1,
        }
    }
}

impl Store {
    /// Puts a mail to the account's owner into the outbox, unless one of this kind was put there
    /// lately. Without an account it does the same work and writes nothing.
    pub async fn post_once(
        &self,
        kind: MailKind,
        account: Option<AccountId>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        to_the_end(
            sqlx::query!(
                r#"
                insert into outbox (id, kind, user_id, created_at)
                select $1, $2, users.id, $4 from users
                where users.id = $3 and not exists (
                    select from outbox where outbox.user_id = users.id and kind = $2
                      and created_at > $4::timestamptz - make_interval(hours => $5))
                "#,
                id,
                kind.name(),
                account.map(Uuid::from),
                now,
                kind.enough_for_hours()
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }
}
