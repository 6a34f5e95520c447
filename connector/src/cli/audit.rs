//! `audit tail`: the end of the audit trail, and what comes.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use ipnet::IpNet;
use tokio::signal::unix::{SignalKind, signal};
use uuid::Uuid;

use super::account::find;
use super::answer::Answer;
use super::database::connected;
use super::trail_table::{row, table};
use crate::audit::Event;
use crate::config::StoreArgs;
use crate::store::{Line, Store, TrailQuery};
use service_process::output::{self, Columns, OutputArgs};
use service_process::sources::Sources;

/// How often new lines are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How late a line may come after its time: a login takes up to 8 s, its line 1.5 s more.
const LATE: TimeDelta = TimeDelta::seconds(30);

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Show the last events of the audit trail, the newest last.
    Tail(TailArgs),
}

/// Which events.
#[derive(Debug, Args)]
pub struct TailArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Only this event, for example login.fail; may be repeated.
    #[arg(long = "event", value_parser = parse_event)]
    events: Vec<String>,

    /// Only events with this reason, for example `wrong_password`.
    #[arg(long, value_parser = parse_reason)]
    reason: Option<String>,

    /// Only events of this account: user name, e-mail address or id.
    #[arg(long)]
    user: Option<String>,

    /// Only events from this network, for example 203.0.113.0/24.
    #[arg(long)]
    network: Option<IpNet>,

    /// Only events since this time (RFC 3339), or this long ago: 30m, 12h, 7d.
    #[arg(long, value_parser = parse_since)]
    since: Option<Since>,

    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,

    /// Go on with what comes, until interrupted.
    #[arg(long)]
    follow: bool,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy)]
enum Since {
    Time(DateTime<Utc>),
    Ago(TimeDelta),
}

impl Since {
    /// The moment, at this time of day; `None` when that is before there can be any trail, which is as
    /// good as not asked for. The database has no times as far back as can be asked for.
    fn before(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let moment = match self {
            Self::Time(time) => Some(time),
            Self::Ago(ago) => now.checked_sub_signed(ago),
        };
        moment.filter(|moment| *moment >= DateTime::UNIX_EPOCH)
    }
}

/// A slip must not look like a trail on which nothing happened.
fn parse_event(text: &str) -> Result<String, &'static str> {
    let event: Event = text.parse().map_err(|_| "there is no such event: see docs/LOGGING.md")?;
    Ok(event.name().to_owned())
}

fn parse_reason(text: &str) -> Result<String, &'static str> {
    let is_one = Event::all().iter().any(|event| event.reason() == Some(text));
    is_one.then(|| text.to_owned()).ok_or("there is no such reason: see docs/LOGGING.md")
}

fn parse_since(text: &str) -> Result<Since, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::Time(time.to_utc()));
    }
    let wrong = || "expected a time such as 2026-11-24T10:00:00Z, or 30m, 12h, 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let ago = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        _ => None,
    };
    ago.filter(|ago| *ago >= TimeDelta::zero()).map(Since::Ago).ok_or_else(wrong)
}

impl AuditCommand {
    /// The database, and how the command logs.
    pub(super) fn store(&self) -> &StoreArgs {
        let Self::Tail(args) = self;
        &args.store
    }

    pub(super) async fn run(self) -> Answer {
        let Self::Tail(args) = self;
        let store = connected(&args.store).await?;
        let account = match &args.user {
            Some(name) => Some(find(&store, name).await?),
            None => None,
        };
        let now = (Sources::system().now)();
        let wanted = TrailQuery {
            events: args.events,
            reason: args.reason,
            account,
            network: args.network.map(|network| network.trunc().to_string()),
            since: args.since.and_then(|since| since.before(now)),
            limit: args.limit,
        };
        if args.follow {
            return follow(&store, wanted, args.output).await;
        }
        Output::begin(args.output, &store.trail(&wanted).await?)?;
        Ok(())
    }
}

/// Shows lines, and then what comes, until interrupted.
async fn follow(store: &Store, mut wanted: TrailQuery, output: OutputArgs) -> Answer {
    let mut interrupted = signal(SignalKind::interrupt()).context("signals")?;
    let (limit, asked_since) = (wanted.limit, wanted.since);
    // All of these have come already, also those that the limit keeps from being shown.
    let late = late_lines(asked_since);
    wanted = TrailQuery { since: late, limit: u32::MAX, ..wanted };
    let mut seen: HashSet<_> = ids(&store.trail(&wanted).await?);
    let last = TrailQuery { since: asked_since, limit, ..wanted.clone() };
    let lines = store.trail(&last).await?;
    let shown = Output::begin(output, &lines)?;
    seen.extend(lines.iter().map(|line| line.id));
    let mut tick = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = interrupted.recv() => return Ok(()),
            _ = tick.tick() => {}
        }
        let lines = store.trail(&wanted).await?;
        // What is older now than a line may be late does not come any more.
        wanted.since = wanted.since.max(late_lines(asked_since));
        let recent = ids(&lines);
        lines
            .iter()
            .filter(|line| !seen.contains(&line.id))
            .try_for_each(|line| shown.add(line))?;
        seen = recent;
    }
}

/// Since when lines may still come.
fn late_lines(asked_since: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    asked_since.max(Some((Sources::system().now)() - LATE))
}

fn ids(lines: &[Line]) -> HashSet<Uuid> {
    lines.iter().map(|line| line.id).collect()
}

/// How lines are shown.
enum Output {
    Json,
    Table(Columns),
}

impl Output {
    fn begin(args: OutputArgs, lines: &[Line]) -> anyhow::Result<Self> {
        if args.json {
            lines.iter().try_for_each(output::json)?;
            return Ok(Self::Json);
        }
        Ok(Self::Table(table(lines)?))
    }

    fn add(&self, line: &Line) -> anyhow::Result<()> {
        match self {
            Self::Json => output::json(line),
            Self::Table(columns) => Ok(columns.write(&row(line))?),
        }
    }
}
