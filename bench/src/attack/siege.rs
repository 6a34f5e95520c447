//! The guesses, at the worst moments.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::Status;

use super::field::{Field, VICTIM};
use super::guesses::{Guess, guess, stray};

/// Guesses at once when the account opens: six times what it has left on each replica.
const BURST: u32 = 90;

/// Between two looks at when it opens.
const PAUSE: Duration = Duration::from_millis(250);

/// Guesses in each of them while the account is closed: 16 a second, more than all replicas
/// together let in by name. They must not keep the owner out.
const FLOOD: u32 = 4;

/// Somebody who tries everything, and is told what nobody outside can know: when the account opens.
pub(super) struct Siege {
    field: Arc<Field>,
    pool: PgPool,
}

/// How many guesses were verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verified {
    /// What the guard counted: failures of strangers, and charges that did not end.
    pub(super) guard: u32,
    /// Lines of the trail that say so.
    pub(super) trail: u32,
}

type GuessAnswer = Option<Result<bool, Status>>;

impl Siege {
    pub(super) fn new(field: Arc<Field>, pool: PgPool) -> Self {
        Self { field, pool }
    }

    /// Guesses until the attack is over, and tells how often.
    pub(super) async fn run(&self) -> Result<u32> {
        let (mut n, mut sent, mut under_way) = (0_u32, 0_u32, JoinSet::new());
        while !self.field.is_over() {
            let (opens_in, pause) = self.opens_in().await?;
            let guesses = if opens_in <= PAUSE {
                sleep(opens_in).await;
                BURST
            } else if opens_in * 3 > pause {
                FLOOD
            } else {
                // The limits of its names recover, so that the burst reaches the guard.
                0
            };
            for _ in 0..guesses {
                let guess = guess(n, &self.field.networks);
                if guess.twice {
                    sent += 1;
                    self.send(&mut under_way, guess.clone(), n);
                }
                sent += 1;
                self.send(&mut under_way, guess, n);
                n += 1;
            }
            self.send(&mut under_way, stray(n, &self.field.networks), n);
            // What each is told says nothing: only the database's word counts.
            while under_way.try_join_next().is_some() {}
            sleep(PAUSE).await;
        }
        under_way.join_all().await;
        Ok(sent)
    }

    fn send(&self, under_way: &mut JoinSet<GuessAnswer>, guess: Guess, n: u32) {
        let (replica, Guess { attempt, patience, .. }) = (self.field.replica(n).clone(), guess);
        under_way.spawn(async move {
            let answer = attempt.send(&replica);
            match patience {
                // Dropped unanswered: the call is cancelled.
                Some(patience) => timeout(patience, answer).await.ok(),
                None => Some(answer.await),
            }
        });
    }

    /// In what time the account opens to strangers, and how long it was closed for.
    async fn opens_in(&self) -> Result<(Duration, Duration)> {
        let row: Option<(i32, Option<f64>)> = sqlx::query_as(
            "select failures, extract(epoch from now() - last_failure_at)::float8
             from login_guard join users using (guard_key)
             where username_key = $1 and network = '::/0'",
        )
        .bind(VICTIM)
        .fetch_optional(&self.pool)
        .await
        .context("the guard's rows cannot be read")?;
        let (failures, since) = row.unwrap_or_default();
        let pause = self.field.ladder.pause_after(u32::try_from(failures)?);
        let since = Duration::try_from_secs_f64(since.unwrap_or_default()).unwrap_or_default();
        Ok((pause.saturating_sub(since), pause))
    }

    /// How many guesses were verified: to be asked when the replicas have stopped.
    pub(super) async fn verified(&self) -> Result<Verified> {
        let guard: i64 = sqlx::query_scalar(
            "select coalesce(sum(failures + cardinality(pending)), 0)
             from login_guard join users using (guard_key)
             where username_key = $1 and network = '::/0'",
        )
        .bind(VICTIM)
        .fetch_one(&self.pool)
        .await?;
        // A guess that was sent twice may have two lines for one verification. A password that is
        // too long is verified against nothing, and counts.
        let trail: i64 = sqlx::query_scalar(
            "select count(distinct request_id)
             from audit_events join users on users.id = user_id
             where username_key = $1 and event = 'login.fail'
               and reason in ('wrong_password', 'malformed', 'ticket')",
        )
        .bind(VICTIM)
        .fetch_one(&self.pool)
        .await?;
        Ok(Verified { guard: u32::try_from(guard)?, trail: u32::try_from(trail)? })
    }
}
