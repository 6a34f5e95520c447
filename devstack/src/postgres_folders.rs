//! Where a PostgreSQL server has its data.
//!
//! PostgreSQL refuses to run as root, and a root's home hides the checkout from the user
//! `postgres`: as root the data lies under `/var/tmp`, in a folder named after the checkout, with
//! a note of the state directory it belongs to. Data whose state directory has gone is
//! removed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use nix::unistd::{Uid, User};

use crate::checkout;

/// The user that runs PostgreSQL when this process is root's.
pub(crate) fn user() -> Option<&'static str> {
    Uid::effective().is_root().then_some("postgres")
}

/// The folder that belongs to a state directory; made when missing.
pub(crate) fn folder(state: &Path) -> Result<PathBuf> {
    let Some(user) = user() else {
        let dir = state.join("postgres");
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        return Ok(dir);
    };
    sweep();
    let state = fs::canonicalize(state).with_context(|| format!("no {}", state.display()))?;
    let dir = home().join(checkout::digest(state.as_os_str().as_encoded_bytes()));
    let make = || -> Result<()> {
        fs::create_dir_all(&dir)?;
        fs::write(dir.join("state"), state.as_os_str().as_encoded_bytes())?;
        let owner = User::from_name(user)?.context("there is no user postgres")?;
        chown(&dir, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        let link = state.join("postgres");
        if !link.is_symlink() {
            symlink(&dir, link)?;
        }
        Ok(())
    };
    make().with_context(|| format!("{} cannot be made", dir.display()))?;
    Ok(dir)
}

/// Removes the folders whose state directory has gone.
pub(crate) fn sweep() {
    for entry in fs::read_dir(home()).into_iter().flatten().flatten() {
        let Ok(state) = fs::read_to_string(entry.path().join("state")) else {
            continue;
        };
        if !Path::new(&state).exists() {
            // Another run may sweep at the same time: what is gone is gone.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    // Succeeds when it is empty only.
    let _ = fs::remove_dir(home());
}

fn home() -> PathBuf {
    Path::new("/var/tmp").join(checkout::digest(checkout::root().as_os_str().as_encoded_bytes()))
}
