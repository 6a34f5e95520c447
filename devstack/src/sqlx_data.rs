//! The query data of auth-connector (`connector/.sqlx`): what the database says of each query,
//! checked in so that builds need none.
//!
//! The macros write it when `SQLX_OFFLINE` is off, `DATABASE_URL` names a database and
//! `SQLX_OFFLINE_DIR` a folder, which is all that `cargo sqlx prepare` arranges too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use sqlx::migrate::Migrator;

use crate::console::{say, step};
use crate::program::Program;
use crate::{checkout, install, name, postgres};

/// A migrated database and a folder for what it says.
pub(crate) struct Live {
    dsn: String,
    dir: PathBuf,
}

impl Live {
    /// Makes a database in the server and migrates it.
    pub(crate) async fn prepare(admin_dsn: &str, dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let dsn = postgres::create_database(admin_dsn, &name::unique("sqlx")).await?;
        let mut connection = postgres::connect(&dsn).await?;
        Migrator::new(checkout::root().join("migrations"))
            .await
            .context("migrations/ cannot be read")?
            .run(&mut connection)
            .await
            .context("the migrations fail on an empty database")?;
        Ok(Self { dsn, dir: dir.to_path_buf() })
    }

    /// Has a compiler run against the database. It compiles the connector anew, because its main
    /// file looks changed while it does.
    pub(crate) async fn compile<T>(
        &self,
        compiler: Program,
        run: impl AsyncFnOnce(Program) -> Result<T>,
    ) -> Result<T> {
        let source = checkout::root().join("connector/src/lib.rs");
        let file = File::options().append(true).open(&source).context("no connector/src/lib.rs")?;
        let before = file.metadata()?.modified()?;
        file.set_modified(now())?;
        let outcome = run(compiler
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &self.dir)
            .env("DATABASE_URL", &self.dsn))
        .await;
        // Or the next ordinary build would compile it for nothing.
        file.set_modified(before)?;
        outcome
    }

    /// The files that differ from those checked in.
    pub(crate) fn differing(&self) -> Result<Vec<String>> {
        let (live, known) = (read(&self.dir)?, read(&checked_in())?);
        let mut names: Vec<&String> = live.keys().chain(known.keys()).collect();
        names.sort();
        names.dedup();
        Ok(names.into_iter().filter(|name| live.get(*name) != known.get(*name)).cloned().collect())
    }
}

/// Writes connector/.sqlx anew, from a database made for it.
pub(crate) async fn update() -> Result<ExitCode> {
    install::ensure(&[install::Need::Postgres]).await?;
    let temporary = tempfile::tempdir().context("no temporary directory")?;
    let server = postgres::Server::start_private(temporary.path()).await?;
    let live = Live::prepare(server.dsn(), &temporary.path().join("sqlx")).await?;
    let compiler = Program::new("cargo")
        .args(["check", "--quiet", "--workspace", "--all-targets", "--keep-going"])
        .with_whole_env();
    let log = temporary.path().join("log/check.log");
    let checked = live.compile(compiler, async |program| {
        step("compile against the database", program.run(&log)).await
    });
    if let Err(error) = checked.await {
        // Another package may be broken; the connector's own errors leave it without its data.
        say(fs::read_to_string(&log).unwrap_or_default());
        bail!("{error:#}");
    }
    let differing = live.differing()?;
    let target = checked_in();
    fs::create_dir_all(&target)?;
    let data = read(&live.dir)?;
    for file in &differing {
        match data.get(file) {
            Some(content) => fs::write(target.join(file), content)?,
            None => fs::remove_file(target.join(file))?,
        }
        say(format!("connector/.sqlx/{file}"));
    }
    say(format!("{} queries, {} files changed", data.len(), differing.len()));
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn checked_in() -> PathBuf {
    checkout::root().join("connector/.sqlx")
}

fn read(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?))
        })
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file's time is compared with the build's, which the system's clock wrote"
)]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
