//! How many attempts are let in.

use clap::Args;

/// How many attempts are let in.
#[derive(Debug, Clone, Args)]
pub struct LimitsArgs {}
