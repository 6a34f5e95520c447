//! What a process does.

use clap::Args;

/// What a process does.
#[derive(Debug, Clone, Args)]
pub struct RolesArgs {}
