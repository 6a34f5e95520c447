//! The commands.

mod account;
mod answer;
mod audit;
mod check_config;
mod database;
mod trail_table;
mod users;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use service_process::lifecycle::Lifecycle;
use service_process::sources::Sources;
use service_process::{exit, output, telemetry};
use tracing::{error, warn};

use crate::app::{self, App, InvalidConfig};
use crate::config::{InvalidKeyFile, PasswordArgs, ServeArgs, StoreArgs};
use crate::lockout::InvalidLockout;
use crate::seed::Plan;
use crate::store::Unreachable;
use answer::{NO_SUCH_ACCOUNT, NoSuchAccount, UsageError};
use audit::AuditCommand;
use database::connected;
use users::UsersCommand;

/// How long a stop waits for calls under way. Dex gives up on a login after 8 s.
const GRACE: Duration = Duration::from_secs(10);

/// Local accounts for Dex: the gRPC password connector over PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "auth-connector", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do what the roles say until told to stop.
    Serve(Box<ServeArgs>),
    /// Bring the tables of the accounts database up to date.
    Migrate(MigrateArgs),
    /// Create accounts from a file; a second run writes nothing.
    Seed(SeedArgs),
    /// Check the configuration of `serve`, certificates included, and bind nothing.
    CheckConfig(Box<ServeArgs>),
    /// See and change accounts.
    #[command(subcommand)]
    Users(Box<UsersCommand>),
    /// See the audit trail.
    #[command(subcommand)]
    Audit(Box<AuditCommand>),
}

/// Everything that `migrate` needs.
#[derive(Debug, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// A role of the database that is granted what `serve` and the other commands need, and no more:
    /// it can read the audit trail and add to it, but not change it.
    #[arg(long, env = "SERVICE_ROLE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    service_role: Option<String>,
}

/// Everything that `seed` needs.
#[derive(Debug, Args)]
pub struct SeedArgs {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    passwords: PasswordArgs,

    /// The accounts, YAML: see docs/CONFIGURATION.md.
    #[arg(long, env = "SEED_FILE")]
    file: PathBuf,

    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,

    /// Accept plain passwords in the file. For development only.
    #[arg(long)]
    allow_plain_passwords: bool,

    /// Give accounts the passwords of the file also where they have others, and end their sessions.
    #[arg(long)]
    force_passwords: bool,
}

/// Runs the command to its end.
pub async fn run(cli: Cli) -> ExitCode {
    exit::code(cli.command.run().await, failed)
}

impl Command {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve(args) => return serve(&args).await,
            Self::CheckConfig(args) => {
                telemetry::init(&args.store.telemetry);
                check_config::run(&args)?;
            }
            Self::Migrate(args) => migrate(&args).await?,
            Self::Seed(args) => seed(args).await?,
            Self::Users(command) => {
                telemetry::init(&command.store().telemetry);
                command.run().await?;
            }
            Self::Audit(command) => {
                telemetry::init(&command.store().telemetry);
                command.run().await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(&args.store.telemetry);
    let lifecycle = Lifecycle::new(GRACE);
    App::build(args)?.run(&lifecycle).await?;
    Ok(lifecycle.run_until_stopped().await)
}

async fn migrate(args: &MigrateArgs) -> anyhow::Result<()> {
    telemetry::init(&args.store.telemetry);
    let store = connected(&args.store).await?;
    store.migrate().await?;
    for Unreachable { account, field } in store.renew_keys().await? {
        warn!(%account, field, "spelt like another's: found by its id only");
    }
    store.make_audit_partitions((Sources::system().now)()).await?;
    if let Some(role) = &args.service_role {
        store.grant_service(role).await?;
    }
    output::line("the tables are up to date")?;
    Ok(())
}

async fn seed(args: SeedArgs) -> anyhow::Result<()> {
    telemetry::init(&args.store.telemetry);
    let plan = Plan::parse(&read(&args.file)?, args.allow_plain_passwords)?
        .replacing_passwords(args.force_passwords);
    let pool =
        plan.has_plain_passwords().then(|| app::command_pool(&args.passwords)).transpose()?;
    let sources = Sources::system();
    let now = (sources.now)();
    let store = connected(&args.store).await?;
    let mut seeding = store.begin_seed().await?;
    let summary = plan.write(&mut seeding, pool.as_ref(), sources, now).await?;
    if args.dry_run {
        seeding.roll_back().await?;
        output::line(&format!("would be: {summary}"))?;
    } else {
        seeding.commit().await?;
        output::line(&summary.to_string())?;
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("--file: {} cannot be read", path.display()))
}

fn failed(error: &anyhow::Error) -> u8 {
    error!("{error:#}");
    let unusable =
        error.is::<InvalidConfig>() || error.is::<InvalidLockout>() || error.is::<InvalidKeyFile>();
    if unusable || error.is::<UsageError>() {
        exit::CONFIG
    } else if error.is::<NoSuchAccount>() {
        NO_SUCH_ACCOUNT
    } else {
        exit::FAILURE
    }
}
