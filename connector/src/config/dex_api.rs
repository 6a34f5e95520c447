//! Where Dex's admin API is, and how to call it.

use clap::Args;

/// Where Dex's admin API is, and how to call it.
#[derive(Debug, Clone, Args)]
pub struct DexApiArgs {}
