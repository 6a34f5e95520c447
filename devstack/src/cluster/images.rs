//! The images of the chart, made of the programs that were compiled here.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::checkout;
use crate::install::log;
use crate::program::Program;

/// What stands before their names: nowhere to pull from.
pub(super) const REGISTRY: &str = "localhost";

/// What the chart needs, one archive each.
#[derive(Clone, Debug)]
pub struct Images {
    tag: String,
    archives: Vec<PathBuf>,
}

impl Images {
    /// Builds all images with this tag.
    pub async fn build(tag: &str) -> Result<Self> {
        let program = checkout::binary("auth-connector")?;
        let programs = program.parent().context("a program lies in a folder")?.to_path_buf();
        let output = checkout::state().join("images");
        Program::new(checkout::root().join("images/build"))
            .args(["--base", "debian", "--registry", REGISTRY, "--tag", tag, "--programs"])
            .args([&programs])
            .args(["--output"])
            .args([&output])
            .with_whole_env()
            .run(&log("build-images"))
            .await
            .context("the images are not built")?;
        let names = ["auth-connector", "chat-api", "dex", "chart-tools"];
        let archives = names.map(|name| output.join(format!("{name}.tar"))).into();
        Ok(Self { tag: tag.to_owned(), archives })
    }

    /// Their tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Their archives.
    #[must_use]
    pub fn archives(&self) -> &[PathBuf] {
        &self.archives
    }
}
