//! How passwords are hashed.

use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use service_process::input;
use thiserror::Error;

use crate::flow::CodeKey;
use crate::keys::MacKey;
use crate::password::{Cost, Peppers};

/// How passwords are hashed.
#[derive(Debug, Clone, Args)]
pub struct PasswordArgs {
    /// bcrypt cost of new hashes, 10 to 12.
    #[arg(long, env = "BCRYPT_COST", default_value = "12", value_parser = Cost::parse)]
    pub bcrypt_cost: Cost,

    /// File of the peppers, one `id:base64` a line, at least 32 bytes each: the first for new
    /// hashes, the others for old ones. Needed by the role `login`, the accounts pages, and for plain
    /// passwords.
    #[arg(long, env = "PEPPER_FILE")]
    pub pepper_file: Option<PathBuf>,
}

/// Under what attempts on names that belong to nobody are counted.
#[derive(Debug, Clone, Args)]
pub struct GuardKeyArgs {
    /// File of the key, base64 of at least 32 bytes, that makes typed names unrecognisable before
    /// attempts are counted under them. The same for all replicas. Needed by the role `login` and the
    /// accounts pages.
    #[arg(long, env = "GUARD_KEY_FILE")]
    pub guard_key_file: Option<PathBuf>,
}

/// What codes in mail are made with.
#[derive(Debug, Clone, Args)]
pub struct CodeKeyArgs {
    /// File of the key, base64 of at least 32 bytes, that codes in mail are made with. The same for all
    /// replicas. Without it the role `worker` sends no mail with a code; the accounts pages and
    /// `users invite` need it.
    #[arg(long, env = "CODE_KEY_FILE")]
    pub code_key_file: Option<PathBuf>,
}

/// A file of secrets that cannot be used. Its content is not repeated.
#[derive(Debug, Error)]
pub enum InvalidKeyFile {
    /// The option that names it is missing: its variable.
    #[error("{0} is needed")]
    Missing(&'static str),
    /// It cannot be read, or holds no usable secret.
    #[error("{option}: {path} is not usable: {reason}")]
    Content {
        /// The variable of the option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, without anything that the file holds.
        reason: String,
    },
}

impl PasswordArgs {
    /// Reads the peppers.
    pub fn peppers(&self) -> Result<Peppers, InvalidKeyFile> {
        read("PEPPER_FILE", self.pepper_file.as_deref(), Peppers::parse)
    }
}

impl GuardKeyArgs {
    /// Reads the key.
    pub fn guard_key(&self) -> Result<MacKey, InvalidKeyFile> {
        read("GUARD_KEY_FILE", self.guard_key_file.as_deref(), MacKey::parse)
    }
}

impl CodeKeyArgs {
    /// Reads the key, if there is one.
    pub fn code_key(&self) -> Result<Option<CodeKey>, InvalidKeyFile> {
        let path = self.code_key_file.as_deref();
        path.map(|path| read("CODE_KEY_FILE", Some(path), CodeKey::parse)).transpose()
    }
}

pub(super) fn read<T, E: ToString>(
    option: &'static str,
    path: Option<&Path>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, InvalidKeyFile> {
    let path = path.ok_or(InvalidKeyFile::Missing(option))?;
    let fault = |reason| InvalidKeyFile::Content { option, path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let text = SecretString::from(text);
    parse(input::without_byte_order_mark(text.expose_secret()))
        .map_err(|error| fault(error.to_string()))
}
