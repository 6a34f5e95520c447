//! How many attempts are let in.

use std::num::NonZeroU32;

use clap::Args;
use service_process::cli::up_to;
use service_process::proxies::TrustedProxies;

use crate::limits::LimitSettings;

/// How many attempts are let in, by each replica for itself.
#[derive(Debug, Clone, Args)]
pub struct LimitsArgs {
    /// Attempts a minute that one network (IPv4 address, IPv6 /64) may make, 1 to 1000000.
    #[arg(long, env = "LIMIT_NETWORK_PER_MINUTE", default_value = "120", value_parser = up_to(1_000_000))]
    pub limit_network_per_minute: NonZeroU32,

    /// Attempts that one network may make at once, 1 to 1000000.
    #[arg(long, env = "LIMIT_NETWORK_BURST", default_value = "60", value_parser = up_to(1_000_000))]
    pub limit_network_burst: NonZeroU32,

    /// Attempts a minute that one coarse network (IPv4 /24, IPv6 /48) may make, 1 to 1000000. Never
    /// more than a quarter of the hashes that the replica can compute.
    #[arg(long, env = "LIMIT_COARSE_NETWORK_PER_MINUTE", default_value = "600", value_parser = up_to(1_000_000))]
    pub limit_coarse_network_per_minute: NonZeroU32,

    /// Attempts a minute on one name, 1 to 1000000, half a minute's of them at once; beyond it only
    /// networks that the account is known from are heard. Half of both for attempts whose network is
    /// unknown.
    #[arg(long, env = "LIMIT_NAME_PER_MINUTE", default_value = "120", value_parser = up_to(1_000_000))]
    pub limit_name_per_minute: NonZeroU32,

    /// Names with which one network may fail in an hour, 1 to 10000. With one more, only accounts
    /// known from there can sign in from there for a while.
    #[arg(long, env = "LIMIT_SPRAYED_NAMES", default_value = "15", value_parser = up_to(10_000))]
    pub limit_sprayed_names: NonZeroU32,

    /// Networks of the proxies before Dex, separated by commas, for example `10.0.0.0/8,fd00::/8`:
    /// an attempt from such an address counts as one whose network is unknown.
    #[arg(long, env = "TRUSTED_PROXY_CIDRS", default_value = "", hide_default_value = true,
          value_parser = TrustedProxies::parse)]
    pub trusted_proxy_cidrs: TrustedProxies,
}

impl LimitsArgs {
    /// The rates.
    #[must_use]
    pub fn settings(&self) -> LimitSettings {
        LimitSettings {
            network_per_minute: self.limit_network_per_minute,
            network_burst: self.limit_network_burst,
            coarse_network_per_minute: self.limit_coarse_network_per_minute,
            name_per_minute: self.limit_name_per_minute,
        }
    }
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
