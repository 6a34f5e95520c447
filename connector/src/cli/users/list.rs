//! `users list`.

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::lock::LockStatus;
use crate::account::LoginName;
use crate::cli::answer::Answer;
use crate::config::{LockoutArgs, StoreArgs};
use crate::lockout::Lockout;
use crate::store::{AccountFilter, Listed, Store};
use service_process::output::{self, Columns, OutputArgs, time};
use service_process::sources::Sources;

/// Which accounts are shown.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    #[command(flatten)]
    lockout: LockoutArgs,

    /// Only accounts in this group.
    #[arg(long)]
    group: Option<String>,

    /// Only accounts that are disabled.
    #[arg(long)]
    disabled: bool,

    /// Only accounts that are closed to strangers, for a while or until they are unlocked.
    #[arg(long)]
    locked: bool,

    /// Only accounts after this user name, or address of one without: how to turn the page.
    #[arg(long, value_parser = LoginName::parse)]
    after: Option<LoginName>,

    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    #[command(flatten)]
    output: OutputArgs,
}

/// An account as machines get it.
#[derive(Debug, Serialize)]
struct ListedRow {
    #[serde(flatten)]
    account: Listed,
    lockout: LockStatus,
}

pub(super) async fn list(store: &Store, args: &ListArgs) -> Answer {
    let lockout = args.lockout.lockout()?;
    let rows = rows(store, args, &lockout, (Sources::system().now)()).await?;
    if args.output.json {
        return rows.iter().try_for_each(output::json);
    }
    let heading = ["USER NAME", "E-MAIL", "ACTIVE", "GROUPS", "LOCKED UNTIL", "LAST LOGIN", "ID"];
    let rows: Vec<_> = rows.iter().map(cells).collect();
    Columns::begin(&heading, &rows)?;
    Ok(())
}

/// Only the ladder knows who is locked, so the database yields who may be, until the page is full.
async fn rows(
    store: &Store,
    args: &ListArgs,
    lockout: &Lockout,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<ListedRow>> {
    let (mut rows, mut after) = (Vec::new(), args.after.as_ref().map(|name| name.key().to_owned()));
    loop {
        let page = store
            .list(&AccountFilter {
                group: args.group.as_deref(),
                disabled: args.disabled,
                attempts: if args.locked { lockout.first_at } else { 0 },
                after: after.as_deref(),
                limit: args.limit,
                ..AccountFilter::default()
            })
            .await?;
        let was_last = page.len() < args.limit as usize;
        after = page.last().map(|account| account.name_key.clone());
        let page = page.into_iter().map(|account| {
            let lockout = LockStatus::of_strangers(lockout, &account.history, now);
            ListedRow { account, lockout }
        });
        rows.extend(page.filter(|row| !args.locked || row.lockout.is_shut()));
        rows.truncate(args.limit as usize);
        if was_last || rows.len() == args.limit as usize {
            return Ok(rows);
        }
    }
}

fn cells(row: &ListedRow) -> Vec<String> {
    let account = &row.account;
    vec![
        account.username.clone().unwrap_or_default(),
        email(account),
        yes_or_no(account.is_active),
        account.groups.join(", "),
        row.lockout.locked_until(),
        account.last_login_at.map(time).unwrap_or_default(),
        account.id.to_string(),
    ]
}

/// The address, and whether it is proved; empty when there is none.
pub(super) fn email(account: &Listed) -> String {
    let unproved = if account.email_verified { "" } else { " (not proved)" };
    account.email.as_ref().map(|email| format!("{email}{unproved}")).unwrap_or_default()
}

pub(super) fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
