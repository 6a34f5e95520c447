//! bcrypt alone, on the service's processor.

use anyhow::Result;

use crate::pin;

/// The cost of a hash in production, where nothing else is said.
pub(super) const COST: u32 = 12;

/// Hashes of one measurement: 6 s at the highest cost, 20 of which differ by less than a hundredth.
const HASHES: u32 = 20;

/// How many seconds one verification takes.
pub(crate) async fn seconds_per_hash(core: &str, cost: u32) -> Result<f64> {
    let args = [cost.to_string(), HASHES.to_string()];
    let output = pin::output_of(core, "bare-hashes", args).await?;
    let seconds: f64 = String::from_utf8_lossy(&output).trim().parse()?;
    Ok(seconds / f64::from(HASHES))
}
