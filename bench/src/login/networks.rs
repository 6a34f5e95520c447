//! A million networks: what a replica remembers of them, and for how long.
//!
//! The rooms are called directly. Over the wire a million attempts would take an hour on one
//! processor, and what is remembered is the same.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use auth_connector::audit::{AuditFold, FoldKey};
use auth_connector::keys::NameKey;
use auth_connector::limits::{Admission, LimitSettings, Limits, SWEEP_EVERY, Spraying};
use service_process::network::Network;
use service_process::sources::Sources;
use service_process::telemetry;
use tokio::time::{Instant, sleep_until};

use crate::report::{Goal, Report};
use crate::{scrape, usage};

const NETWORKS: u32 = 1_000_000;

/// How many of them use all they may at once: the longest that a key can be owed something.
const GREEDY: u32 = 1_000;

/// After this nothing of them may be left.
const LEFT: Duration = Duration::from_mins(2);

/// The defaults of the program, and the hash rate of one core at cost 12.
fn settings() -> Result<(LimitSettings, f64)> {
    let number = |number| NonZeroU32::new(number).context("no zero");
    let settings = LimitSettings {
        network_per_minute: number(120)?,
        network_burst: number(60)?,
        coarse_network_per_minute: number(600)?,
        name_per_minute: number(120)?,
    };
    Ok((settings, 190.0))
}

pub(super) async fn run(report: &mut Report) -> Result<()> {
    let metrics = telemetry::metrics();
    let keys = || {
        let samples = scrape::samples(&metrics.render());
        samples
            .iter()
            .filter(|(name, _)| name.starts_with("limit_keys{"))
            .map(|(_, keys)| keys)
            .sum()
    };
    let (settings, rate) = settings()?;
    let begin = usage::own_memory()?;
    let limits = Limits::new(&settings, rate);
    for n in 0..NETWORKS {
        let attempts = if n % (NETWORKS / GREEDY) == 0 { settings.network_burst.get() } else { 1 };
        for _ in 0..attempts {
            let admission = limits.admit(Some(network(n)), &name_key(n));
            ensure!(admission == Admission::Admitted, "{n} was refused");
        }
    }
    let filled = Instant::now();
    let limited = usage::own_memory()?;
    let spraying = Spraying::new(NonZeroU32::new(15).context("no zero")?);
    let now = Sources::system().now;
    for n in 0..NETWORKS {
        spraying.failed(network(n), &name_key(n), now());
    }
    let sprayed = usage::own_memory()?;
    let fold = AuditFold::default();
    for n in 0..NETWORKS {
        let key = FoldKey { guard_key: name_key(n).into(), network: Some(network(n)) };
        // Whether a line is written is not asked here.
        let _ = fold.note(key, now());
    }
    let folded = usage::own_memory()?;
    for (what, from, to, goal) in [
        ("limits", begin, limited, Goal::None),
        ("spraying", limited, sprayed, Goal::None),
        ("folding of audit lines", sprayed, folded, Goal::None),
        ("all", begin, folded, Goal::AtMost(200.0)),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "no machine has 2^52 bytes")]
        let mebibytes = to.saturating_sub(from) as f64 / f64::from(1 << 20);
        report.once(format!("memory of 1,000,000 networks: {what}"), "MiB", mebibytes, goal)?;
    }

    limits.sweep();
    let most: f64 = keys();
    ensure!(most >= 3.0 * f64::from(NETWORKS), "only {most} keys were held");
    let mut due = filled;
    while due + SWEEP_EVERY <= filled + LEFT {
        due += SWEEP_EVERY;
        sleep_until(due).await;
        limits.sweep();
    }
    // A sweep tells how many there were before it.
    report.once("keys of limits, most", "keys", most, Goal::None)?;
    report.once("keys of limits left after 2 minutes", "keys", keys(), Goal::AtMost(0.0))
}

/// A /64, each in a /48 of its own.
fn network(n: u32) -> Network {
    let upper = (0x2a00_u128 << 112) | (u128::from(n) << 80);
    Network::of(IpAddr::V6(Ipv6Addr::from_bits(upper)))
}

/// As unlike each other as keyed hashes are in their first bytes.
fn name_key(n: u32) -> NameKey {
    let mut key = [0_u8; 32];
    key[..8].copy_from_slice(&(u64::from(n) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    key.into()
}
