//! `users delete`.

use std::io::IsTerminal as _;

use anyhow::{Context as _, ensure};
use clap::Args;
use service_process::output;
use service_process::sources::Sources;

use super::change::{entry, say};
use super::named::NamedArgs;
use crate::audit::Event;
use crate::cli::account::find;
use crate::cli::answer::Answer;
use crate::store::Store;

/// The account to be deleted.
#[derive(Debug, Args)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub(super) named: NamedArgs,

    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn delete(store: &Store, args: &DeleteArgs) -> Answer {
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
