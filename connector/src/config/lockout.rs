//! How many failures an account bears.

use clap::Args;

/// How many failures an account bears.
#[derive(Debug, Clone, Args)]
pub struct LockoutArgs {}
