//! Creating accounts from a file.
//!
//! A run is all or nothing and may be repeated: a second run of the same file writes nothing. It
//! replaces no password unless it is told to. The order of the rows says nothing, and everything
//! that is wrong with them is told at once.

mod file;
mod resolve;

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::sources::Sources;
use thiserror::Error;
use uuid::Uuid;

pub use self::file::{InvalidFile, RowError};

use self::file::{Fault, Row};
use self::resolve::RowClaim;
use crate::account::{AccountId, Email, UserName, check_groups, parse_full_name};
use crate::audit::{Entry, Event};
use crate::due::MailKind;
use crate::password::{Caller, Credential, MAX_PASSWORD_BYTES, Pool, Saturated};
use crate::store::{Existing, Named, NewAccount, StoreError, UnitOfWork};

/// What a seed file says, and what it does wrong.
#[derive(Debug)]
pub struct Plan {
    claims: Vec<RowClaim>,
    /// Of each row that is valid, what it says of its account.
    accounts: Vec<Option<(NewAccount, Password)>>,
    faults: Vec<RowError>,
    replaces_passwords: bool,
}

#[derive(Debug)]
enum Password {
    None,
    Hash(Credential),
    Plain(SecretString),
}

/// Why accounts could not be written. Nothing was.
#[derive(Debug, Error)]
pub enum SeedError {
    /// Rows that cannot be written: all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rows(Vec<RowError>),
    /// The row could not be written.
    #[error("row {row}")]
    Row {
        /// The row, counted from 1.
        row: usize,
        /// What the database said.
        #[source]
        error: StoreError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Passwords could not be hashed.
    #[error(transparent)]
    Saturated(#[from] Saturated),
}

/// What a run did, in accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Accounts that were not there.
    pub created: usize,
    /// Accounts of which something was changed.
    pub updated: usize,
    /// Accounts that were as the file says.
    pub unchanged: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, unchanged } = self;
        write!(f, "{created} created, {updated} updated, {unchanged} unchanged")
    }
}

impl Plan {
    /// Reads a seed file. Plain passwords are for development: a fault unless they are allowed.
    pub fn parse(text: &str, allow_plain_passwords: bool) -> Result<Self, InvalidFile> {
        let mut plan = Self {
            claims: Vec::new(),
            accounts: Vec::new(),
            faults: Vec::new(),
            replaces_passwords: false,
        };
        let (mut names, mut addresses, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (index, row) in file::rows(text)?.into_iter().enumerate() {
            let number = index + 1;
            let (claim, account, mut faults) = parse_row(number, row, allow_plain_passwords);
            let mut earlier = |field: &'static str| {
                faults.push((field.into(), "stands in an earlier row".to_owned()));
            };
            let name = claim.username.as_ref().map(|name| name.key().to_owned());
            if name.is_some_and(|key| !names.insert(key)) {
                earlier("username");
            }
            let address = claim.email.as_ref().map(|email| email.key().to_owned());
            if address.is_some_and(|key| !addresses.insert(key)) {
                earlier("email");
            }
            if claim.id.is_some_and(|id| !ids.insert(id)) {
                earlier("id");
            }
            let fault = |(field, reason)| RowError { row: number, field, reason };
            plan.faults.extend(faults.into_iter().map(fault));
            plan.claims.push(claim);
            plan.accounts.push(account);
        }
        Ok(plan)
    }

    /// What the file does wrong, as far as it can be told without the database.
    #[must_use]
    pub fn faults(&self) -> &[RowError] {
        &self.faults
    }

    /// Whether passwords that accounts have already are replaced; without this they are not.
    #[must_use]
    pub fn replacing_passwords(self, replaces_passwords: bool) -> Self {
        Self { replaces_passwords, ..self }
    }

    /// Whether a password has to be hashed.
    #[must_use]
    pub fn has_plain_passwords(&self) -> bool {
        let passwords = self.accounts.iter().flatten().map(|(_, password)| password);
        passwords.into_iter().any(|password| matches!(password, Password::Plain(_)))
    }

    /// Writes the accounts as a part of `seeding`, which the caller commits or rolls back. `pool` may be
    /// `None` when no password has to be hashed.
    pub async fn write(
        self,
        seeding: &mut UnitOfWork,
        pool: Option<&Pool>,
        sources: Sources,
        now: DateTime<Utc>,
    ) -> Result<Summary, SeedError> {
        let Self { claims, accounts, mut faults, replaces_passwords } = self;
        let stored = seeding.find_named(&wanted(&claims)).await?;
        let (existing, conflicts) = resolve::resolve(&claims, &stored);
        for conflict in conflicts {
            // Of two rows with one name the second has this fault already.
            if !faults.iter().any(|it| (it.row, &it.field) == (conflict.row, &conflict.field)) {
                faults.push(conflict);
            }
        }
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.row);
            return Err(SeedError::Rows(faults));
        }
        let rows = claims.iter().zip(accounts).zip(existing);
        let rows: Vec<_> =
            rows.filter_map(|((claim, row), existing)| Some((claim.row, row?, existing))).collect();
        let renamed = rows.iter().filter_map(|(_, (account, _), existing)| {
            existing.filter(|existing| existing.changes_keys(account))
        });
        seeding.set_aside(&renamed.map(Existing::id).collect::<Vec<_>>()).await?;

        let mut summary = Summary::default();
        for (row, (account, password), existing) in rows {
            let in_row = |error| SeedError::Row { row, error };
            let mut events = Vec::new();
            let id = if let Some(existing) = existing {
                let update = seeding.update(existing, &account, sources.id(now), now);
                if update.await.map_err(in_row)? {
                    events.push(Event::AccountChanged);
                    events.extend(existing.activation_change(&account));
                    if let Some(former) = existing.address_before(&account) {
                        let (kind, to) = (MailKind::EmailChanged, (existing.id(), former));
                        let post = seeding.post_to_former_address(kind, to, sources.id(now), now);
                        post.await.map_err(in_row)?;
                    }
                }
                if (replaces_passwords || !existing.has_password())
                    && let Some(credential) = password.credential(pool).await?
                {
                    let put = seeding.put_password(existing, &credential, sources.id(now), now);
                    if put.await.map_err(in_row)? {
                        events.push(Event::AccountPasswordSet);
                        if existing.has_password() {
                            let (kind, id) = (MailKind::PasswordChanged, sources.id(now));
                            let post = seeding.post(kind, Some(existing.id()), id, now);
                            post.await.map_err(in_row)?;
                        }
                    }
                }
                if events.is_empty() {
                    summary.unchanged += 1;
                } else {
                    summary.updated += 1;
                }
                existing.id()
            } else {
                let credential = password.credential(pool).await?;
                let first = credential.as_ref().map(|credential| (credential, false));
                let id = sources.id(now);
                seeding.create(&account, first, id, now).await.map_err(in_row)?;
                summary.created += 1;
                events.push(Event::AccountCreated);
                id.into()
            };
            for event in events {
                let entry = Entry::of_account(sources.id(now), now, event, id);
                seeding.record(&entry).await.map_err(in_row)?;
            }
        }
        Ok(summary)
    }
}

impl Password {
    /// The credential to store: the hash of the file, or a new one of its plain password.
    async fn credential(self, pool: Option<&Pool>) -> Result<Option<Credential>, Saturated> {
        match self {
            Self::None => Ok(None),
            Self::Hash(credential) => Ok(Some(credential)),
            Self::Plain(password) => {
                pool.ok_or(Saturated)?.hash(password.into(), Caller::Known, None).await.map(Some)
            }
        }
    }
}

/// The ids and names to look up: all that the rows name.
fn wanted(claims: &[RowClaim]) -> Named {
    let mut named = Named::default();
    for claim in claims {
        named.ids.extend(claim.id.map(Uuid::from));
        named.usernames.extend(claim.username.as_ref().map(|name| name.key().to_owned()));
        named.emails.extend(claim.email.as_ref().map(|email| email.key().to_owned()));
    }
    named
}

/// What a row says of its account, if nothing is wrong with it.
type Parsed = (RowClaim, Option<(NewAccount, Password)>, Vec<Fault>);

fn parse_row(number: usize, mut row: Row, allow_plain: bool) -> Parsed {
    let username = row.text("username");
    if username.is_none() && !row.faults.iter().any(|(field, _)| field == "username") {
        row.fault("username", "is missing");
    }
    let username = username.and_then(|text| {
        UserName::parse(&text).map_err(|error| row.fault("username", error.to_string())).ok()
    });
    let email = row.text("email").and_then(|text| {
        Email::parse(&text).map_err(|error| row.fault("email", error.to_string())).ok()
    });
    let id = row.text("id").and_then(|text| {
        let no_id = |_| row.fault("id", "must be a UUID in lower case with hyphens");
        AccountId::parse(&text).map_err(no_id).ok()
    });
    let full_name = parse_full_name(&row.text("full_name").unwrap_or_default())
        .map_err(|reason| row.fault("full_name", reason));
    let groups = row.list("groups");
    if let Err(reason) = check_groups(&groups) {
        row.fault("groups", reason);
    }
    let email_verified = row.switch("email_verified").unwrap_or(false);
    let is_active = row.switch("is_active");
    let (plain, hash) = (row.secret("password"), row.secret("password_hash"));
    let password = parse_password(plain, hash, allow_plain)
        .map_err(|(field, reason)| row.fault(field, reason));

    let claim = RowClaim { row: number, id, username: username.clone(), email: email.clone() };
    let account = match (username, full_name, password) {
        (Some(username), Ok(full_name), Ok(password)) if row.faults.is_empty() => {
            let username = Some(username);
            let account =
                NewAccount { id, username, email, email_verified, full_name, is_active, groups };
            Some((account, password))
        }
        _ => None,
    };
    (claim, account, row.faults)
}

fn parse_password(
    plain: Option<SecretString>,
    hash: Option<SecretString>,
    allow_plain: bool,
) -> Result<Password, (&'static str, String)> {
    match (plain, hash) {
        (Some(_), Some(_)) => Err(("password", "and password_hash exclude each other".to_owned())),
        (Some(_), None) if !allow_plain => Err((
            "password",
            "is for development only (--allow-plain-passwords): use password_hash".to_owned(),
        )),
        (Some(plain), None) if plain.expose_secret().len() > MAX_PASSWORD_BYTES => {
            Err(("password", format!("must be at most {MAX_PASSWORD_BYTES} bytes")))
        }
        (Some(plain), None) => Ok(Password::Plain(plain)),
        (None, Some(hash)) => Credential::parse(1, hash.expose_secret(), None)
            .map(Password::Hash)
            .map_err(|error| ("password_hash", error.to_string())),
        (None, None) => Ok(Password::None),
    }
}

#[cfg(test)]
#[path = "seed_tests.rs"]
mod tests;
