//! `audit tail`: the end of the audit trail, and what comes.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand};
use ipnet::IpNet;
use tokio::signal::unix::{SignalKind, signal};

use super::output::{self, OutputArgs, time};
use super::{Answer, users};
use crate::app;
use crate::config::StoreArgs;
use crate::store::{Line, Wanted};

/// How often it is looked for new lines.
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
    #[arg(long = "event")]
    events: Vec<String>,

    /// Only events with this reason.
    #[arg(long)]
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
        let store = app::open_store(&args.store)?;
        let account = match &args.user {
            Some(name) => Some(users::find(&store, name).await?),
            None => None,
        };
        let now = app::system_clock();
        let mut wanted = Wanted {
            events: args.events,
            reason: args.reason,
            account,
            network: args.network.map(|network| network.trunc().to_string()),
            since: args.since.map(|since| match since {
                Since::Time(time) => time,
                Since::Ago(ago) => now - ago,
            }),
            limit: args.limit,
        };
        let lines = store.trail(&wanted).await?;
        show(&lines, args.output, true)?;
        if !args.follow {
            return Ok(());
        }
        let mut interrupted = signal(SignalKind::interrupt()).context("signals")?;
        let mut seen: HashSet<_> = lines.iter().map(|line| line.id).collect();
        wanted.limit = u32::MAX;
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = interrupted.recv() => return Ok(()),
                _ = tick.tick() => {}
            }
            let earliest = app::system_clock() - LATE;
            wanted.since = wanted.since.max(Some(earliest.max(now - LATE)));
            let lines = store.trail(&wanted).await?;
            let recent: HashSet<_> = lines.iter().map(|line| line.id).collect();
            let fresh: Vec<_> = lines.into_iter().filter(|line| !seen.contains(&line.id)).collect();
            show(&fresh, args.output, false)?;
            // What is older does not come again.
            seen = recent;
        }
    }
}

fn show(lines: &[Line], output: OutputArgs, heading: bool) -> anyhow::Result<()> {
    if output.json {
        return lines.iter().try_for_each(output::json);
    }
    if heading {
        return Ok(table(lines)?);
    }
    for line in lines {
        output::line(&row(line).join("  "))?;
    }
    Ok(())
}

/// Shows lines of the trail in columns.
pub(super) fn table(lines: &[Line]) -> std::io::Result<()> {
    let heading = ["TIME", "EVENT", "REASON", "ACCOUNT", "ADDRESS", "COUNT", "REQUEST"];
    output::table(&heading, &lines.iter().map(row).collect::<Vec<_>>())
}

fn row(line: &Line) -> Vec<String> {
    let account = line.username.clone().or_else(|| line.user_id.map(|id| id.to_string()));
    vec![
        time(line.at),
        line.event.clone(),
        line.reason.clone().unwrap_or_default(),
        account.unwrap_or_default(),
        line.remote_ip.clone().unwrap_or_default(),
        line.count.to_string(),
        line.request_id.clone(),
    ]
}
