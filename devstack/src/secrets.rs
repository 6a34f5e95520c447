//! Passwords of a stack, one file each, readable by the owner alone.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::name;

/// The directory of the passwords.
pub(crate) struct Secrets(PathBuf);

impl Secrets {
    /// Opens `secrets/` in a state directory.
    pub(crate) fn open(state: &Path) -> Result<Self> {
        let dir = state.join("secrets");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .with_context(|| format!("{} cannot be made", dir.display()))?;
        Ok(Self(dir))
    }

    /// The password of that name: kept from the last time, or made now (192 bits).
    pub(crate) fn get_or_create(&self, name: &str) -> Result<String> {
        let path = self.file(name, || name::random_token(24))?;
        std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
    }

    /// Where the password of that name lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The file of that name: kept from the last time, or made now.
    pub(crate) fn file(&self, name: &str, make: impl FnOnce() -> String) -> Result<PathBuf> {
        let path = self.path(name);
        if !path.exists() {
            write_private(&path, &make())?;
        }
        Ok(path)
    }
}

/// Writes a file that only its owner may read, replacing it whole.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let partial = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        match std::fs::remove_file(&partial) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
        file.write_all(content.as_bytes())?;
        std::fs::rename(&partial, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
