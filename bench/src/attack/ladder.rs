//! How many guesses on one account may have been verified by when. Written anew from the numbers
//! that are promised, not taken from the service, whose fault would be the same in both.

use std::time::Duration;

/// Failures before the first pause.
const FIRST: u32 = 10;

/// Failures between two pauses.
const STEP: u32 = 5;

/// Failures after which it stays closed.
const CLOSED: u32 = 60;

/// The pauses; each is twice as long as the one before, up to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ladder {
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
}

impl Ladder {
    /// The real one from half an hour on; below that, as many steps in less time: 2 s a minute,
    /// which is 60 s at 30.
    pub(super) fn shortened(minutes: u32) -> Self {
        let first_pause = Duration::from_secs(2 * u64::from(minutes.min(30)));
        Self { first_pause, longest_pause: 60 * first_pause }
    }

    /// How many guesses may be verified in this time from the first on: as many as are let in at
    /// once, and a step more after each pause that has ended.
    pub(super) fn allowed(&self, elapsed: Duration) -> u32 {
        let (mut allowed, mut opens, mut pause) = (FIRST, Duration::ZERO, self.first_pause);
        while allowed < CLOSED {
            opens += pause;
            if elapsed < opens {
                break;
            }
            allowed += STEP;
            pause = (2 * pause).min(self.longest_pause);
        }
        allowed
    }

    /// How long the account is closed after this many failures; zero when it is not.
    pub(super) fn pause_after(&self, failures: u32) -> Duration {
        match failures.checked_sub(FIRST) {
            Some(more) if more % STEP == 0 => {
                (self.first_pause * (1 << (more / STEP).min(16))).min(self.longest_pause)
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
#[path = "ladder_tests.rs"]
mod tests;
