//! How many failures an account bears.

use std::time::Duration;

use clap::Args;

use crate::lockout::{InvalidLockout, Lockout};

/// How many failures an account bears.
#[derive(Debug, Clone, Args)]
pub struct LockoutArgs {
    /// Failures of strangers that close an account to them for the first time.
    #[arg(long, env = "LOCKOUT_FAILURES", default_value = "10",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub lockout_failures: u32,

    /// Further failures that close it again, each time for twice as long.
    #[arg(long, env = "LOCKOUT_STEP", default_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub lockout_step: u32,

    /// Failures after which it stays closed to strangers: until a reset, an unlock, or a day without a failure.
    #[arg(long, env = "LOCKOUT_CLOSED_AFTER", default_value = "60",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub lockout_closed_after: u32,

    /// How long it is closed the first time, in seconds.
    #[arg(long, env = "LOCKOUT_FIRST_PAUSE", default_value = "60",
          value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub lockout_first_pause: u32,

    /// How long it is closed at most, in seconds.
    #[arg(long, env = "LOCKOUT_LONGEST_PAUSE", default_value = "3600",
          value_parser = clap::value_parser!(u32).range(1..=86400))]
    pub lockout_longest_pause: u32,

    /// Failures from a network that the account is known from, after which it counts as a stranger.
    #[arg(long, env = "LOCKOUT_KNOWN_NETWORK_FAILURES", default_value = "5",
          value_parser = clap::value_parser!(u32).range(1..=12))]
    pub lockout_known_network_failures: u32,

    /// Refuse accounts whose e-mail address is not proved.
    #[arg(long, env = "REQUIRE_VERIFIED_EMAIL",
          value_parser = clap::builder::BoolishValueParser::new())]
    pub require_verified_email: bool,
}

impl LockoutArgs {
    /// The ladder that these make.
    pub fn lockout(&self) -> Result<Lockout, InvalidLockout> {
        let seconds = |number| Duration::from_secs(u64::from(number));
        Lockout {
            first_at: self.lockout_failures,
            step: self.lockout_step,
            closed_at: self.lockout_closed_after,
            first_pause: seconds(self.lockout_first_pause),
            longest_pause: seconds(self.lockout_longest_pause),
            known_network: self.lockout_known_network_failures,
        }
        .checked()
    }
}
