//! The files of secret keys that auth-connector reads.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::name;
use crate::secrets::Secrets;

/// The files of secret keys that auth-connector reads; only the owner may read them.
#[derive(Clone, Debug)]
pub struct KeyFiles {
    /// The peppers (`PEPPER_FILE`).
    pub peppers: PathBuf,
    /// The key of typed names (`GUARD_KEY_FILE`).
    pub guard_key: PathBuf,
    /// The key of codes in mail (`CODE_KEY_FILE`).
    pub code_key: PathBuf,
    /// What browsers' cookies are sealed with (`ACCOUNTS_SESSION_KEY_FILE`).
    pub session_keys: PathBuf,
}

impl KeyFiles {
    /// Makes them in a state directory, or finds those of the last time: what was hashed with a
    /// pepper is worthless without it.
    pub fn get_or_create(state: &Path) -> Result<Self> {
        let secrets = Secrets::open(state)?;
        Ok(Self {
            peppers: secrets.file("peppers", || format!("local:{}\n", name::random_key()))?,
            guard_key: secrets.file("guard-key", name::random_key)?,
            code_key: secrets.file("code-key", name::random_key)?,
            session_keys: secrets
                .file("session-keys", || format!("local:{}\n", name::random_key()))?,
        })
    }
}
