//! Where things lie: the checkout, its state directory, its built programs.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::Uid;
use sha2::{Digest as _, Sha256};

/// The root of the checkout this program was built in.
///
/// # Panics
/// Never: this crate lies in a folder of the checkout.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in a folder of the checkout")
}

/// The state of `./dev`: `.dev/`, which `./dev reset` removes.
#[must_use]
pub fn state() -> PathBuf {
    root().join(".dev")
}

/// Gives what root made in a checkout of somebody else, by `sudo` for example, to whom the checkout belongs. It is done
/// when a command ends.
pub fn give_back() {
    let owner = std::fs::metadata(root()).map_or(0, |checkout| checkout.uid());
    if Uid::effective().is_root() && owner != 0 {
        let mut chown = Command::new("chown");
        chown.args(["--recursive", "--no-dereference", "--from=0"]);
        // What vanishes meanwhile is nobody's.
        let _ = chown.arg("--reference").args([root(), root()]).stderr(Stdio::null()).status();
    }
}

/// A program of this workspace, found beside the running one.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it lies")?;
    let mut dir = own.parent().context("this program lies in no folder")?;
    if dir.ends_with("deps") {
        dir = dir.parent().context("a test lies in target/PROFILE/deps")?;
    }
    let path = dir.join(name);
    ensure!(
        path.is_file(),
        "{} is not built: run cargo build --workspace --all-targets",
        path.display()
    );
    Ok(path)
}

/// The same as it is released, when this program is not.
pub(crate) fn released(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program does not know where it lies")?;
    let target =
        own.parent().and_then(Path::parent).context("this program lies in target/debug")?;
    Ok(target.join("release").join(name))
}

/// The first 16 hexadecimal digits of the SHA-256 of some text.
#[must_use]
pub fn digest(text: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let (head, _) = digest.split_at(8);
    format!("{:016x}", head.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte)))
}
