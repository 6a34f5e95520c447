//! Verifies passwords and does nothing else: the ceiling of logins. It is a program of its own so
//! that it can be pinned to the very core that the service is pinned to.
//!
//! `bare-hashes COST COUNT` prints how many seconds COUNT verifications took.

use std::hint::black_box;

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;

fn main() -> Result<()> {
    let arguments: Vec<u32> = std::env::args()
        .skip(1)
        .map(|text| text.parse().context("a number"))
        .collect::<Result<_>>()?;
    let [cost, count] = arguments[..] else { anyhow::bail!("usage: bare-hashes COST COUNT") };
    // As long as what the service hashes: base64 of an HMAC-SHA-384.
    let password = "p".repeat(64);
    let hash = bcrypt::hash(&password, cost)?;
    let start = Instant::now();
    for _ in 0..count {
        ensure!(
            black_box(bcrypt::verify(black_box(&password), &hash)?),
            "bcrypt forgot the password"
        );
    }
    print(start.elapsed().as_secs_f64());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of a program, not a log line")]
fn print(seconds: f64) {
    println!("{seconds}");
}
