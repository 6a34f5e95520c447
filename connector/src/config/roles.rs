//! What a process does.

use std::fmt;

use clap::builder::EnumValueParser;
use clap::{Args, ValueEnum};
use service_process::cli::item;

/// A part of the service that a process can do alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Answers Dex.
    Login,
    /// Serves the pages on which people see to their account.
    Accounts,
    /// Works in the background.
    Worker,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login => "login",
            Self::Accounts => "accounts",
            Self::Worker => "worker",
        })
    }
}

/// What a process does.
#[derive(Debug, Clone, Args)]
pub struct RolesArgs {
    /// What this process does, separated by commas: answer Dex, serve the accounts pages, work in the
    /// background. Each has to be done by some process.
    #[arg(long, env = "ROLES", default_value = "login,accounts,worker", value_delimiter = ',',
          value_parser = item(EnumValueParser::<Role>::new()))]
    pub roles: Vec<Role>,
}

impl RolesArgs {
    /// Whether this process has this role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
