//! `users`: what an operator does to accounts. Nobody chooses a password for somebody else here.

use std::io::{IsTerminal as _, Read as _};

use anyhow::{Context as _, anyhow, ensure};
use chrono::Utc;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{self, OutputArgs, time};
use super::{Answer, NoSuchAccount};
use crate::account::{AccountId, Email, LoginName, UserName};
use crate::app;
use crate::audit::{Entry, Event, Origin};
use crate::config::{LockoutArgs, StoreArgs};
use crate::guard::{Budget, Verdict};
use crate::password::Credential;
use crate::seed;
use crate::store::{Change, Filter, Listed, NewAccount, PasswordFacts, Store, Wanted};
use crate::trail;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Show accounts in the order of their user names.
    List(ListArgs),
    /// Show all that is known of an account, its lockout and its last events.
    Show(ShowArgs),
    /// Create an account. Without a password nobody can sign in as it yet.
    Create(CreateArgs),
    /// Forbid the use of an account and end its sessions.
    Disable(NamedArgs),
    /// Allow the use of an account again.
    Enable(NamedArgs),
    /// Forget the failures of an account, so that it is open to everybody.
    Unlock(NamedArgs),
    /// Delete an account and end its sessions. Its id is never used again.
    Delete(DeleteArgs),
    /// Show or change the groups of an account.
    Groups(GroupsArgs),
}

/// One account.
#[derive(Debug, Args)]
pub struct NamedArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The account: its user name, e-mail address or id.
    name: String,
}

/// Which accounts are shown.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Only accounts in this group.
    #[arg(long)]
    group: Option<String>,

    /// Only accounts that are disabled.
    #[arg(long)]
    disabled: bool,

    /// Only accounts after this user name: how to turn the page.
    #[arg(long)]
    after: Option<String>,

    /// At most so many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    #[command(flatten)]
    output: OutputArgs,
}

/// The account to be shown, and the rules its lockout follows.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    named: NamedArgs,

    #[command(flatten)]
    lockout: LockoutArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The account to be created.
#[derive(Debug, Args)]
pub struct CreateArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Its user name.
    name: String,

    /// Its e-mail address.
    #[arg(long)]
    email: Option<String>,

    /// The address counts as proved.
    #[arg(long, requires = "email")]
    email_verified: bool,

    /// The display name.
    #[arg(long, default_value = "", hide_default_value = true)]
    full_name: String,

    /// A group; may be repeated.
    #[arg(long = "group")]
    groups: Vec<String>,

    /// Take the bcrypt hash of its password from standard input.
    #[arg(long)]
    password_hash_stdin: bool,

    /// The password has to be changed before it opens anything.
    #[arg(long, requires = "password_hash_stdin")]
    must_change: bool,
}

/// The account to be deleted.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    named: NamedArgs,

    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// The groups to be changed.
#[derive(Debug, Args)]
pub struct GroupsArgs {
    #[command(flatten)]
    named: NamedArgs,

    /// A group to put it into; may be repeated.
    #[arg(long)]
    add: Vec<String>,

    /// A group to take it out of; may be repeated.
    #[arg(long)]
    remove: Vec<String>,
}

impl UsersCommand {
    /// The database, and how the command logs.
    pub(super) fn store(&self) -> &StoreArgs {
        match self {
            Self::List(args) => &args.store,
            Self::Show(args) => &args.named.store,
            Self::Create(args) => &args.store,
            Self::Disable(args) | Self::Enable(args) | Self::Unlock(args) => &args.store,
            Self::Delete(args) => &args.named.store,
            Self::Groups(args) => &args.named.store,
        }
    }

    pub(super) async fn run(self) -> Answer {
        let store = app::open_store(self.store())?;
        match self {
            Self::List(args) => list(&store, &args).await,
            Self::Show(args) => show(&store, &args).await,
            Self::Create(args) => create(&store, args).await,
            Self::Disable(args) => {
                let id = find(&store, &args.name).await?;
                let ended = app::system_ids().next(app::system_clock());
                let changed = store.disable(id, ended, app::system_clock()).await?;
                told(&store, changed.then_some(Event::AccountDisabled), id, "disabled").await
            }
            Self::Enable(args) => {
                let id = find(&store, &args.name).await?;
                let changed = store.enable(id, app::system_clock()).await?;
                told(&store, changed.then_some(Event::AccountEnabled), id, "enabled").await
            }
            Self::Unlock(args) => {
                let id = find(&store, &args.name).await?;
                let changed = store.unlock(id).await?;
                told(&store, changed.then_some(Event::AccountUnlocked), id, "unlocked").await
            }
            Self::Delete(args) => delete(&store, &args).await,
            Self::Groups(args) => groups(&store, &args).await,
        }
    }
}

pub(super) async fn find(store: &Store, name: &str) -> anyhow::Result<AccountId> {
    Ok(store.find(name).await?.ok_or(NoSuchAccount)?)
}

/// Writes down what was done and says so; without an event nothing was to be done.
async fn told(store: &Store, event: Option<Event>, account: AccountId, done: &str) -> Answer {
    let Some(event) = event else {
        output::line(&format!("{account} was {done} already"))?;
        return Ok(());
    };
    let now = app::system_clock();
    let entry = Entry {
        id: app::system_ids().next(now),
        at: now,
        event,
        account: Some(account),
        guard_key: None,
        count: 1,
        origin: Origin::default(),
    };
    trail::keep(store, &entry).await;
    output::line(&format!("{account} is {done}"))?;
    Ok(())
}

async fn list(store: &Store, args: &ListArgs) -> Answer {
    let after = args.after.as_deref().map(LoginName::parse).transpose().context("--after")?;
    let filter = Filter {
        group: args.group.as_deref(),
        disabled: args.disabled,
        after: after.as_ref(),
        limit: args.limit,
    };
    let accounts = store.list(&filter).await?;
    if args.output.json {
        return accounts.iter().try_for_each(output::json);
    }
    let heading = ["USER NAME", "E-MAIL", "ACTIVE", "GROUPS", "LAST LOGIN", "ID"];
    let rows: Vec<_> = accounts.iter().map(row).collect();
    output::table(&heading, &rows)?;
    Ok(())
}

fn row(account: &Listed) -> Vec<String> {
    let unproved = if account.email_verified { "" } else { " (not proved)" };
    vec![
        account.username.clone(),
        account.email.as_ref().map(|email| format!("{email}{unproved}")).unwrap_or_default(),
        if account.is_active { "yes" } else { "no" }.to_owned(),
        account.groups.join(", "),
        account.last_login_at.map(time).unwrap_or_default(),
        account.id.to_string(),
    ]
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    account: Listed,
    password: Option<PasswordFacts>,
    strangers: String,
    known_networks: Vec<KnownNetwork>,
    pending_revocations: i64,
}

#[derive(Serialize)]
struct KnownNetwork {
    network: String,
    last_success_at: chrono::DateTime<Utc>,
    failures: i32,
}

async fn show(store: &Store, args: &ShowArgs) -> Answer {
    let id = find(store, &args.named.name).await?;
    let lockout = args.lockout.lockout()?;
    let guard_key = store.guard_key(id).await?.ok_or(NoSuchAccount)?;
    let history = store.history(&guard_key, Budget::Strangers).await?;
    let now = app::system_clock();
    let failures = history.at(now, Some(crate::guard::MEMORY)).failures;
    let strangers = match lockout.verdict(&history, now) {
        Verdict::Open(_) | Verdict::Busy => format!("open, {failures} failures"),
        Verdict::Paused(until) => format!("closed until {}, {failures} failures", time(until)),
        Verdict::Closed => format!("closed, {failures} failures"),
    };
    let known = store.known_networks(id).await?;
    let shown = Shown {
        account: store.listed(id).await?.ok_or(NoSuchAccount)?,
        password: store.password_facts(id).await?,
        strangers,
        known_networks: known
            .into_iter()
            .map(|(network, last_success_at, failures)| KnownNetwork {
                network,
                last_success_at,
                failures,
            })
            .collect(),
        pending_revocations: store.pending_revocations(id).await?,
    };
    if args.output.json {
        return output::json(&shown);
    }
    describe(&shown)?;
    let wanted = Wanted { account: Some(id), limit: 10, ..Wanted::default() };
    output::line("\nlast events")?;
    super::audit::table(&store.trail(&wanted).await?)?;
    Ok(())
}

fn describe(shown: &Shown) -> anyhow::Result<()> {
    let account = &shown.account;
    let password = shown.password.as_ref().map_or_else(
        || "none".to_owned(),
        |facts| {
            let cost = facts.cost.as_deref().unwrap_or("?");
            let pepper = facts.pepper_id.as_ref().map(|id| format!(", pepper {id}"));
            let change = if facts.must_change { ", must be changed" } else { "" };
            let set = time(facts.set_at);
            let pepper = pepper.unwrap_or_default();
            format!("scheme {}, cost {cost}{pepper}{change}, set {set}", facts.scheme)
        },
    );
    let mut facts = vec![
        ("id", account.id.to_string()),
        ("user name", account.username.clone()),
        ("full name", account.full_name.clone()),
        ("e-mail", row(account)[1].clone()),
        ("active", row(account)[2].clone()),
        ("groups", account.groups.join(", ")),
        ("password", password),
        ("strangers", shown.strangers.clone()),
        ("sessions to end", shown.pending_revocations.to_string()),
    ];
    for known in &shown.known_networks {
        let (at, failures) = (time(known.last_success_at), known.failures);
        facts.push(("known from", format!("{}, last {at}, {failures} failures", known.network)));
    }
    for (name, value) in facts {
        output::line(format!("{name:16}{value}").trim_end())?;
    }
    Ok(())
}

async fn create(store: &Store, args: CreateArgs) -> Answer {
    let username = UserName::parse(&args.name).context("the user name")?;
    let email = args.email.as_deref().map(Email::parse).transpose().context("--email")?;
    usable("--full-name", seed::check_full_name(&args.full_name))?;
    usable("--group", seed::check_groups(&args.groups))?;
    let credential = args.password_hash_stdin.then(read_hash).transpose()?;
    let (now, ids) = (app::system_clock(), app::system_ids());
    let account = NewAccount {
        username,
        email,
        email_verified: args.email_verified,
        full_name: args.full_name,
        is_active: None,
        groups: args.groups,
    };
    let mut transaction = store.begin_seed().await?;
    let (id, change, _) = transaction.put(&account, ids.next(now), now).await?;
    ensure!(change == Change::Created, "the user name belongs to another account");
    if let Some(credential) = credential {
        transaction.put_password(id, &credential, args.must_change, now).await?;
    }
    transaction.commit().await?;
    told(store, Some(Event::AccountCreated), id.into(), "created").await
}

fn usable(option: &str, checked: Result<(), (&str, String)>) -> anyhow::Result<()> {
    checked.map_err(|(_, reason)| anyhow!("{option}: {reason}"))
}

fn read_hash() -> anyhow::Result<Credential> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Credential::parse(1, text.trim(), None).context("--password-hash-stdin")
}

async fn delete(store: &Store, args: &DeleteArgs) -> Answer {
    let id = find(store, &args.named.name).await?;
    if !args.yes {
        ensure!(std::io::stdin().is_terminal(), "--yes is needed where nobody can be asked");
        output::line(&format!("Delete {id} for good? Type yes:"))?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).context("standard input cannot be read")?;
        ensure!(answer.trim() == "yes", "nothing was deleted");
    }
    let (now, ids) = (app::system_clock(), app::system_ids());
    let changed = store.delete(id, ids.next(now), now).await?;
    told(store, changed.then_some(Event::AccountDeleted), id, "deleted").await
}

async fn groups(store: &Store, args: &GroupsArgs) -> Answer {
    let id = find(store, &args.named.name).await?;
    usable("--add", seed::check_groups(&args.add))?;
    if store.change_groups(id, &args.add, &args.remove).await? {
        told(store, Some(Event::AccountGroupsChanged), id, "in other groups").await?;
    }
    for group in store.groups(id).await? {
        output::line(&group)?;
    }
    Ok(())
}
