//! What an attempt on a locked account costs the service.

use anyhow::{Result, ensure};
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::caller::{Attempt, Networks};
use crate::service::Service;
use crate::usage;

/// Failures after which an account is closed to strangers.
const FAILURES: u32 = 10;

/// Refusals of one round: 0.5 s of processor time at 1 ms each, of which the kernel's clock of
/// 10 ms tells two in a hundred.
const REFUSALS: u32 = 500;

/// How many are under way at once. Each waits 0.4 s for its padding.
const AT_ONCE: usize = 50;

/// The service's processor time per refusal, of guesses from another network each: the dearest
/// kind, because each has a line of its own in the trail.
pub(super) async fn seconds_per_refusal(
    service: &Service,
    round: u32,
    networks: &Networks,
) -> Result<f64> {
    let name = format!("nobody-{round}");
    let guess = |n: u32| Attempt::new(&name, &format!("guess {n}"), networks.next());
    for n in 0..FAILURES {
        ensure!(!guess(n).send(&service.line).await?, "a guess was right");
    }
    let before = usage::cpu_time(service.pid()?)?;
    let refusals = stream::iter(0..REFUSALS).map(|n| guess(FAILURES + n).send(&service.line));
    let answers: Vec<_> = refusals.buffer_unordered(AT_ONCE).collect().await;
    let spent = usage::cpu_time(service.pid()?)?.saturating_sub(before);
    for answer in answers {
        ensure!(!answer?, "a guess was right");
    }
    Ok(spent.as_secs_f64() / f64::from(REFUSALS))
}
