//! `users`: what an operator does to accounts. Nobody chooses a password for somebody else here.

mod change;
mod create;
mod delete;
mod groups;
mod invite;
mod list;
mod lock;
mod named;
mod show;

use clap::Subcommand;
use service_process::sources::Sources;

use super::account::find;
use super::answer::Answer;
use super::database::connected;
use crate::audit::Event;
use crate::config::StoreArgs;
use change::{entry, say};
use create::CreateArgs;
use delete::DeleteArgs;
use groups::GroupsArgs;
use invite::InviteArgs;
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
    /// Invite somebody to make an account, by a code that is mailed and good for seven days.
    Invite(InviteArgs),
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

impl UsersCommand {
    /// The database, and how the command logs.
    pub(super) fn store(&self) -> &StoreArgs {
        match self {
            Self::List(args) => &args.store,
            Self::Show(args) => &args.named.store,
            Self::Create(args) => &args.store,
            Self::Invite(args) => &args.store,
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
            Self::Invite(args) => invite::invite(&store, &args).await,
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
            Self::Delete(args) => delete::delete(&store, &args).await,
            Self::Groups(args) => groups::groups(&store, &args).await,
        }
    }
}
