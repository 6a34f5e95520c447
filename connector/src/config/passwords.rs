//! How passwords are hashed.

use clap::Args;

use crate::password::Cost;

/// How passwords are hashed.
#[derive(Debug, Clone, Args)]
pub struct PasswordArgs {
    /// bcrypt cost of new hashes, 10 to 12.
    #[arg(long, env = "BCRYPT_COST", default_value = "12", value_parser = Cost::parse)]
    pub bcrypt_cost: Cost,
}
