//! Writing accounts from a seed file, all or none.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Store;
use super::error::StoreError;
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, Email, UserName};
use crate::audit::Event;
use crate::password::Credential;

/// Serialises seed runs, so that two at once make no duplicates and none fails.
const SEED_LOCK: i64 = 0x6c61_7365_6564;

/// An account as a seed file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Which account is meant; without it the user name tells.
    pub id: Option<AccountId>,
    /// The user name, if it has one.
    pub username: Option<UserName>,
    /// The e-mail address.
    pub email: Option<Email>,
    /// Whether the address counts as proved.
    pub email_verified: bool,
    /// The display name.
    pub full_name: String,
    /// Whether the account may be used; `None` leaves that as it is, and lets a new one be used.
    pub is_active: Option<bool>,
    /// All groups of the account.
    pub groups: Vec<String>,
}

/// The ids and names that the rows of a seed file give, to be looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Ids of accounts.
    pub ids: Vec<Uuid>,
    /// Keys of user names.
    pub usernames: Vec<String>,
    /// Keys of e-mail addresses.
    pub emails: Vec<String>,
}

/// An account as it is stored.
#[derive(Debug)]
pub struct Existing {
    id: Uuid,
    username: Option<String>,
    username_key: Option<String>,
    email: Option<String>,
    email_key: Option<String>,
    email_verified: bool,
    full_name: String,
    is_active: bool,
    /// The names of its groups, sorted by bytes.
    groups: Vec<String>,
    password_hash: Option<String>,
}

impl Existing {
    /// Which account it is.
    #[must_use]
    pub fn id(&self) -> AccountId {
        self.id.into()
    }

    /// What its user name is looked up by.
    #[must_use]
    pub fn username_key(&self) -> Option<&str> {
        self.username_key.as_deref()
    }

    /// What its e-mail address is looked up by.
    #[must_use]
    pub fn email_key(&self) -> Option<&str> {
        self.email_key.as_deref()
    }

    /// Whether it is looked up by something else when it is made what `account` says.
    #[must_use]
    pub fn changes_keys(&self, account: &NewAccount) -> bool {
        self.username_key.as_deref() != account.username.as_ref().map(UserName::key)
            || self.email_key.as_deref() != account.email.as_ref().map(Email::key)
    }

    /// The event of the trail when this account is made what `account` says and that changes whether it may
    /// be used; `None` when it does not.
    #[must_use]
    pub fn activation_change(&self, account: &NewAccount) -> Option<Event> {
        match account.is_active? {
            true if !self.is_active => Some(Event::AccountEnabled),
            false if self.is_active => Some(Event::AccountDisabled),
            _ => None,
        }
    }

    /// The address that the account loses when it is made what `account` says.
    #[must_use]
    pub fn address_before(&self, account: &NewAccount) -> Option<&str> {
        let stays = self.email_key.as_deref() == account.email.as_ref().map(Email::key);
        self.email.as_deref().filter(|_| !stays)
    }

    /// Whether the account has a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.password_hash.is_some()
    }

    fn is_as(&self, account: &NewAccount) -> bool {
        let mut groups: Vec<&str> = account.groups.iter().map(String::as_str).collect();
        groups.sort_unstable();
        groups.dedup();
        !self.changes_keys(account)
            && self.username.as_deref() == account.username.as_ref().map(UserName::as_str)
            && self.email.as_deref() == account.email.as_ref().map(Email::as_str)
            && self.email_verified == account.email_verified
            && self.full_name == account.full_name
            && account.is_active.is_none_or(|is_active| is_active == self.is_active)
            && self.groups == groups
    }
}

impl Store {
    /// Begins to write accounts. Waits for another run to end.
    pub async fn begin_seed(&self) -> Result<UnitOfWork, StoreError> {
        let mut unit = self.begin().await?;
        sqlx::query!("select pg_advisory_xact_lock($1)", SEED_LOCK)
            .execute(unit.connection())
            .await?;
        Ok(unit)
    }
}

impl UnitOfWork {
    /// The accounts that have one of these ids, user names or addresses.
    pub async fn find_named(&mut self, named: &Named) -> Result<Vec<Existing>, StoreError> {
        let existing = sqlx::query_as!(
            Existing,
            r#"
            select users.id as "id!", username as "username?", username_key as "username_key?",
                   email as "email?", email_key as "email_key?", email_verified as "email_verified!",
                   full_name as "full_name!", is_active as "is_active!",
                   array(select group_name from user_groups where user_id = users.id
                         order by group_name collate "C") as "groups!",
                   password_hash as "password_hash?"
            from users left join credentials on credentials.user_id = users.id
            where users.id = any ($1) or username_key = any ($2) or email_key = any ($3)
            "#,
            &named.ids,
            &named.usernames,
            &named.emails
        )
        .fetch_all(self.connection())
        .await?;
        Ok(existing)
    }

    /// Takes their names and addresses from accounts that are about to get others, so that these can
    /// be given to whom they belong next, in any order. Nobody else gets to see that.
    pub async fn set_aside(&mut self, accounts: &[AccountId]) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = accounts.iter().map(|id| Uuid::from(*id)).collect();
        // No name has a control character, so nobody's is this one.
        sqlx::query!(
            r#"
            update users set
                username_key = case when username is not null then chr(1) || id::text end,
                email_key = case when email is not null then chr(1) || id::text || '@' end
            where id = any ($1)
            "#,
            &ids
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Creates the account under this id, and ends an invitation of its address. With its password comes whether that
    /// must be changed.
    pub async fn create(
        &mut self,
        account: &NewAccount,
        password: Option<(&Credential, bool)>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let credential = password.map(|(credential, _)| credential);
        sqlx::query!(
            r#"
            with new as (
                insert into users (id, username, username_key, email, email_key, email_verified,
                                   full_name, is_active, created_at, updated_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
                returning id
            ), invited as (
                -- Its account is there, by whatever way.
                delete from invitations where email_key = $5
            ), grouped as (
                insert into user_groups (user_id, group_name)
                select distinct id, group_name from new, unnest($10::text[]) as named (group_name)
            )
            insert into credentials (user_id, scheme, password_hash, pepper_id, must_change, set_at)
            select id, $11::smallint, $12::text, $13::text, $14, $9 from new where $11 is not null
            "#,
            id,
            account.username.as_ref().map(UserName::as_str),
            account.username.as_ref().map(UserName::key),
            account.email.as_ref().map(Email::as_str),
            account.email.as_ref().map(Email::key),
            account.email_verified,
            account.full_name,
            account.is_active.unwrap_or(true),
            now,
            &account.groups,
            credential.map(Credential::scheme),
            credential.map(Credential::hash),
            credential.and_then(Credential::pepper_id),
            password.is_some_and(|(_, must_change)| must_change)
        )
        .execute(self.connection())
        .await
        .map_err(taken)?;
        Ok(())
    }

    /// Makes the account what `account` says, and ends an invitation of its address. One that may not be used any more has its sessions
    /// ended: `fresh_id` becomes the id of that request. `false`: it is so already, and nothing was
    /// written.
    pub async fn update(
        &mut self,
        existing: &Existing,
        account: &NewAccount,
        fresh_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        if existing.is_as(account) {
            return Ok(false);
        }
        // Whether the account may be used is read from the row as it is when it is written: an
        // operator may have forbidden it since it was found.
        sqlx::query!(
            r#"
            with gone as (
                delete from user_groups where user_id = $1 and group_name <> all ($10)
            ), new as (
                insert into user_groups (user_id, group_name)
                select $1, group_name from unnest($10::text[]) as named (group_name)
                on conflict do nothing
            ), invited as (
                delete from invitations where email_key = $5
            )
            update users set username = $2, username_key = $3, email = $4, email_key = $5,
                email_verified = $6, full_name = $7, is_active = coalesce($8, is_active),
                updated_at = $9
            where id = $1
            "#,
            existing.id,
            account.username.as_ref().map(UserName::as_str),
            account.username.as_ref().map(UserName::key),
            account.email.as_ref().map(Email::as_str),
            account.email.as_ref().map(Email::key),
            account.email_verified,
            account.full_name,
            account.is_active,
            now,
            &account.groups
        )
        .execute(self.connection())
        .await
        .map_err(taken)?;
        if existing.is_active && account.is_active == Some(false) {
            self.end_sessions(existing.id.into(), fresh_id, now).await?;
        }
        Ok(true)
    }

    /// Gives the account a password. If that replaces another, its sessions are ended: `fresh_id`
    /// becomes the id of that request. `false`: it is the password's hash already, and nothing was
    /// written.
    pub async fn put_password(
        &mut self,
        existing: &Existing,
        credential: &Credential,
        fresh_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        if existing.password_hash.as_deref() == Some(credential.hash()) {
            return Ok(false);
        }
        sqlx::query!(
            r#"
            insert into credentials (user_id, scheme, password_hash, pepper_id, set_at)
            values ($1, $2, $3, $4, $5)
            on conflict (user_id) do update set
                scheme = excluded.scheme,
                password_hash = excluded.password_hash,
                pepper_id = excluded.pepper_id,
                must_change = false,
                set_at = excluded.set_at
            "#,
            existing.id,
            credential.scheme(),
            credential.hash(),
            credential.pepper_id(),
            now
        )
        .execute(self.connection())
        .await?;
        if existing.has_password() {
            self.end_sessions(existing.id.into(), fresh_id, now).await?;
        }
        Ok(true)
    }
}

/// What a name or an address that is somebody else's is told as.
pub(super) fn taken(error: sqlx::Error) -> StoreError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("users_username_key_key") => StoreError::Taken { field: "username" },
        Some("users_email_key_key") => StoreError::Taken { field: "email" },
        _ => error.into(),
    }
}
