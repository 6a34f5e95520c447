//! Creating accounts from a file.
//!
//! A run is all or nothing and may be repeated: a second run of the same file writes nothing. It
//! replaces no password unless it is told to.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use thiserror::Error;

use crate::account::{AccountId, Email, MAX_GROUP_BYTES, MAX_NAME_BYTES, UserName};
use crate::audit::{Entry, Event, Ids, Origin};
use crate::password::{Caller, Credential, MAX_PASSWORD_BYTES, Pool, Saturated};
use crate::store::{NewAccount, SeedTransaction, StoreError};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: Option<String>,
    username: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    full_name: String,
    is_active: Option<bool>,
    #[serde(default)]
    groups: Vec<String>,
    password: Option<SecretString>,
    password_hash: Option<SecretString>,
}

/// The accounts of a seed file, each of them valid.
#[derive(Debug)]
pub struct Plan {
    rows: Vec<(NewAccount, Password)>,
    replaces_passwords: bool,
}

#[derive(Debug)]
enum Password {
    None,
    Hash(Credential),
    Plain(SecretString),
}

/// What a row of the file does wrong. Never repeats a password or a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row, counted from 1.
    pub row: usize,
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}: {} {}", self.row, self.field, self.reason)
    }
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum InvalidFile {
    /// Not the YAML that is expected. The text says where.
    #[error("the seed file is not usable: {0}")]
    Yaml(String),
    /// Rows with errors: all of them.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rows(Vec<RowError>),
}

/// Why accounts could not be written. Nothing was.
#[derive(Debug, Error)]
pub enum SeedError {
    /// The row could not be written.
    #[error("row {row}")]
    Row {
        /// The row, counted from 1.
        row: usize,
        /// Why.
        #[source]
        error: StoreError,
    },
    /// Passwords could not be hashed.
    #[error(transparent)]
    Saturated(#[from] Saturated),
}

/// What a run did, in accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// New ones.
    pub created: usize,
    /// Changed ones.
    pub updated: usize,
    /// Ones that were as the file says.
    pub unchanged: usize,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, unchanged } = self;
        write!(f, "{created} created, {updated} updated, {unchanged} unchanged")
    }
}

impl Plan {
    /// Reads a seed file. Plain passwords are for development: refused unless they are allowed.
    pub fn parse(text: &str, allow_plain_passwords: bool) -> Result<Self, InvalidFile> {
        let file: File = serde_yaml_ng::from_str(text)
            .map_err(|error| InvalidFile::Yaml(without_values(&error.to_string())))?;
        let mut rows = Vec::with_capacity(file.users.len());
        let mut errors = Vec::new();
        let (mut names, mut addresses, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (index, row) in file.users.into_iter().enumerate() {
            let error = |(field, reason)| RowError { row: index + 1, field, reason };
            match parse_row(row, allow_plain_passwords) {
                Err(found) => errors.extend(found.into_iter().map(error)),
                Ok((account, password)) => {
                    if !names.insert(account.username.key().to_owned()) {
                        errors.push(error(("username", "stands in an earlier row".to_owned())));
                    }
                    let address = account.email.as_ref().map(|email| email.key().to_owned());
                    if address.is_some_and(|key| !addresses.insert(key)) {
                        errors.push(error(("email", "stands in an earlier row".to_owned())));
                    }
                    if account.id.is_some_and(|id| !ids.insert(id)) {
                        errors.push(error(("id", "stands in an earlier row".to_owned())));
                    }
                    rows.push((account, password));
                }
            }
        }
        if !errors.is_empty() {
            return Err(InvalidFile::Rows(errors));
        }
        Ok(Self { rows, replaces_passwords: false })
    }

    /// Whether passwords that accounts have already are replaced; without this they are not.
    #[must_use]
    pub fn replacing_passwords(self, replaces_passwords: bool) -> Self {
        Self { replaces_passwords, ..self }
    }

    /// Whether a password has to be hashed.
    #[must_use]
    pub fn has_plain_passwords(&self) -> bool {
        self.rows.iter().any(|(_, password)| matches!(password, Password::Plain(_)))
    }

    /// Writes the accounts into a transaction, which the caller commits or rolls back. `pool` may be
    /// `None` when no password has to be hashed.
    pub async fn write(
        self,
        seeding: &mut SeedTransaction<'_>,
        pool: Option<&Pool>,
        ids: &Ids,
        now: DateTime<Utc>,
    ) -> Result<Summary, SeedError> {
        let mut summary = Summary::default();
        for (index, (account, password)) in self.rows.into_iter().enumerate() {
            let in_row = |error| SeedError::Row { row: index + 1, error };
            let mut events = Vec::new();
            let id = if let Some(existing) = seeding.find(&account).await.map_err(in_row)? {
                let update = seeding.update(&existing, &account, ids.next(now), now);
                if update.await.map_err(in_row)? {
                    events.push(Event::AccountChanged);
                    events.extend(existing.turn(&account));
                }
                if (self.replaces_passwords || !existing.has_password())
                    && let Some(credential) = password.credential(pool).await?
                {
                    let put = seeding.put_password(&existing, &credential, ids.next(now), now);
                    events.extend(put.await.map_err(in_row)?.then_some(Event::AccountPasswordSet));
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
                let id = ids.next(now);
                seeding.create(&account, first, id, now).await.map_err(in_row)?;
                summary.created += 1;
                events.push(Event::AccountCreated);
                id.into()
            };
            for event in events {
                let entry = Entry {
                    id: ids.next(now),
                    at: now,
                    event,
                    account: Some(id),
                    guard_key: None,
                    count: 1,
                    origin: Origin::default(),
                };
                seeding.record(&entry).await.map_err(in_row)?;
            }
        }
        Ok(summary)
    }
}

impl Password {
    /// What is stored of it.
    async fn credential(self, pool: Option<&Pool>) -> Result<Option<Credential>, Saturated> {
        match self {
            Self::None => Ok(None),
            Self::Hash(credential) => Ok(Some(credential)),
            Self::Plain(password) => {
                pool.ok_or(Saturated)?.hash(password, Caller::Known, None).await.map(Some)
            }
        }
    }
}

/// A field and what is wrong with it.
type RowFault = (&'static str, String);

fn parse_row(row: Row, allow_plain: bool) -> Result<(NewAccount, Password), Vec<RowFault>> {
    let mut faults: Vec<RowFault> = Vec::new();
    let username = UserName::parse(&row.username)
        .map_err(|error| faults.push(("username", error.to_string())))
        .ok();
    let email = row
        .email
        .map(|text| Email::parse(&text).map_err(|error| faults.push(("email", error.to_string()))))
        .and_then(Result::ok);
    let id = row.id.map(|text| AccountId::parse(&text)).transpose();
    let id = id.map_err(|_| faults.push(("id", "must be a UUID".to_owned()))).ok().flatten();
    faults.extend(check_full_name(&row.full_name).err());
    faults.extend(check_groups(&row.groups).err());
    let password = parse_password(row.password, row.password_hash, allow_plain)
        .map_err(|fault| faults.push(fault))
        .ok();
    match (username, password) {
        (Some(username), Some(password)) if faults.is_empty() => {
            let (email_verified, full_name) = (row.email_verified, row.full_name);
            let (is_active, groups) = (row.is_active, row.groups);
            let account =
                NewAccount { id, username, email, email_verified, full_name, is_active, groups };
            Ok((account, password))
        }
        _ => Err(faults),
    }
}

/// Whether a display name can be one.
pub(crate) fn check_full_name(text: &str) -> Result<(), RowFault> {
    if text.len() > MAX_NAME_BYTES || text.contains(char::is_control) {
        let reason = format!("must be at most {MAX_NAME_BYTES} bytes without control characters");
        return Err(("full_name", reason));
    }
    Ok(())
}

/// Whether these can be the names of groups.
pub(crate) fn check_groups(names: &[String]) -> Result<(), RowFault> {
    let unusable = |name: &String| {
        name.is_empty() || name.len() > MAX_GROUP_BYTES || name.contains(char::is_control)
    };
    if names.iter().any(unusable) {
        let reason =
            format!("must be names of 1 to {MAX_GROUP_BYTES} bytes without control characters");
        return Err(("groups", reason));
    }
    Ok(())
}

fn parse_password(
    plain: Option<SecretString>,
    hash: Option<SecretString>,
    allow_plain: bool,
) -> Result<Password, RowFault> {
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

/// The parser quotes what it did not expect, and that may be a password: values between double
/// quotes, numbers and names of fields between backticks. Only what can be a field's name stays.
fn without_values(message: &str) -> String {
    let (mut shown, mut rest) = (String::new(), message);
    while let Some((before, quoted)) = rest.find(['"', '`']).map(|at| rest.split_at(at)) {
        let quote = if quoted.starts_with('"') { '"' } else { '`' };
        let end = closing(&quoted[1..], quote);
        let (inside, after) = quoted[1..].split_at(end);
        let is_field = |c: char| c.is_ascii_lowercase() || c == '_';
        let kept = if quote == '`' && inside.chars().all(is_field) { inside } else { "…" };
        shown.extend([before, kept]);
        rest = after.get(1..).unwrap_or_default();
    }
    shown + rest
}

/// Where the quotation ends. Between double quotes a backslash comes before those that do not.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && quote == '"' && !escaped;
        ends
    };
    text.char_indices().find(ends).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
#[path = "seed_tests.rs"]
mod tests;
