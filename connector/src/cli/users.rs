//! `users`: what an operator does to accounts. Nobody chooses a password for somebody else here.

mod change;
mod create;
mod list;
mod lock;
mod named;
mod show;

use std::io::IsTerminal as _;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use service_process::output;
use service_process::sources::Sources;

use super::account::find;
use super::answer::{Answer, UsageError};
use super::database::connected;
use crate::audit::Event;
use crate::config::StoreArgs;
use crate::store::Store;
use change::{entry, parse_group, say};
use create::CreateArgs;
use list::ListArgs;
use named::NamedArgs;
use show::ShowArgs;

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
    #[arg(long, value_parser = parse_group)]
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
        let store = connected(self.store()).await?;
        match self {
            Self::List(args) => list::list(&store, &args).await,
            Self::Show(args) => show::show(&store, &args).await,
            Self::Create(args) => create::create(&store, args).await,
            Self::Disable(args) => {
                let id = find(&store, &args.name).await?;
                let entry = entry(Event::AccountDisabled, id);
                let ended = Sources::system().id(entry.at);
                say(store.disable(id, ended, &entry).await?, id, "disabled")
            }
            Self::Enable(args) => {
                let id = find(&store, &args.name).await?;
                say(store.enable(id, &entry(Event::AccountEnabled, id)).await?, id, "enabled")
            }
            Self::Unlock(args) => {
                let id = find(&store, &args.name).await?;
                say(store.unlock(id, &entry(Event::AccountUnlocked, id)).await?, id, "unlocked")
            }
            Self::Delete(args) => delete(&store, &args).await,
            Self::Groups(args) => groups(&store, &args).await,
        }
    }
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
    let entry = entry(Event::AccountDeleted, id);
    let ended = Sources::system().id(entry.at);
    say(store.delete(id, ended, &entry).await?, id, "deleted")
}

async fn groups(store: &Store, args: &GroupsArgs) -> Answer {
    if args.add.iter().any(|group| args.remove.contains(group)) {
        return Err(UsageError("--add and --remove name the same group").into());
    }
    let id = find(store, &args.named.name).await?;
    let entry = entry(Event::AccountGroupsChanged, id);
    if store.change_groups(id, (&args.add, &args.remove), &entry).await? {
        say(true, id, "in other groups")?;
    }
    for group in store.groups(id).await? {
        output::line(&group)?;
    }
    Ok(())
}
