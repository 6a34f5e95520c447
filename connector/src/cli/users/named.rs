//! The account that a command is about.

use clap::Args;

use crate::config::StoreArgs;

/// One account.
#[derive(Debug, Args)]
pub struct NamedArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    /// The account: its user name, e-mail address or id.
    pub(super) name: String,
}
