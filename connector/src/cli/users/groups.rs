//! `users groups`.

use clap::Args;
use service_process::output;

use super::change::{entry, parse_group, say};
use super::named::NamedArgs;
use crate::audit::Event;
use crate::cli::account::find;
use crate::cli::answer::{Answer, UsageError};
use crate::store::Store;

/// The groups to be changed.
#[derive(Debug, Args)]
pub struct GroupsArgs {
    #[command(flatten)]
    pub(super) named: NamedArgs,

    /// A group to put it into; may be repeated.
    #[arg(long, value_parser = parse_group)]
    add: Vec<String>,

    /// A group to take it out of; may be repeated.
    #[arg(long)]
    remove: Vec<String>,
}

pub(super) async fn groups(store: &Store, args: &GroupsArgs) -> Answer {
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
