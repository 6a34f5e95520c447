//! What an attempt on somebody else's account can look like.

use std::time::Duration;

use super::field::VICTIM;
use crate::caller::{Attempt, Networks};

/// One guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    pub(super) attempt: Attempt,
    /// How long the answer is waited for; `None`: to the end.
    pub(super) patience: Option<Duration>,
    /// Whether it is sent once more, at the same time.
    pub(super) twice: bool,
}

/// How many spellings of the two names there are.
const SPELLINGS: u32 = 9;

/// The names of the account, in all spellings that lead to it.
fn spelling(n: u32) -> String {
    match n % SPELLINGS {
        0 => VICTIM.to_owned(),
        1 => format!("{VICTIM}@example.com"),
        2 => VICTIM.to_uppercase(),
        3 => format!("  {VICTIM} "),
        4 => format!("{VICTIM}@EXAMPLE.com"),
        // Full width: NFKC makes it the same.
        5 => "ｖｉｃｔｉｍ".to_owned(),
        6 => "Victim@example.com\u{2003}".to_owned(),
        // What does not show is folded away.
        7 => format!("{VICTIM}\u{200d}"),
        _ => format!("{VICTIM}\u{3000}"),
    }
}

/// The passwords: another one each time, the same ones by many, and what a hash has trouble with.
fn password(n: u32) -> String {
    // Each kind with every spelling.
    match n / SPELLINGS % 16 {
        0 => String::new(),
        1 => "x".repeat(72),
        2 => "x".repeat(73),
        3 => "x".repeat(1024),
        4 => "x".repeat(1025),
        5 => format!("guess\0{n}"),
        6 => "lat1_not-a-ticket-of-anybody".to_owned(),
        7 | 8 => "the same for many".to_owned(),
        _ => format!("guess {n}"),
    }
}

/// Where from: elsewhere each time, in each notation.
fn origin(n: u32, networks: &Networks) -> String {
    // Rare: more than 20 an hour without a network are one line of the trail.
    if n.is_multiple_of(64) && n < 20 * 64 {
        return String::new();
    }
    let address = networks.next();
    match n / 3 % 3 {
        0 => format!("2a00:{:x}:{:x}::1", n >> 16, n & 0xffff),
        1 => format!("::ffff:{address}"),
        _ => address,
    }
}

/// The `n`th guess.
pub(super) fn guess(n: u32, networks: &Networks) -> Guess {
    let mut attempt = Attempt::new(&spelling(n), &password(n), origin(n, networks));
    attempt.request_id = format!("guess-{n}");
    // One of five hangs up: before the hash, during it, after it.
    let patience = (n % 5 == 4).then(|| Duration::from_millis(u64::from(n % 13) * 10));
    // One of seven is sent twice, as one line of the trail: the two may share a verification.
    Guess { attempt, patience, twice: n % 7 == 3 }
}

/// A name that cannot be one, or is near the account's.
pub(super) fn stray(n: u32, networks: &Networks) -> Guess {
    let name = match n % 6 {
        0 => String::new(),
        1 => format!("{VICTIM}\0"),
        2 => VICTIM.replace('i', "\u{456}"),
        3 => "v".repeat(255),
        4 => format!("\u{202e}{VICTIM}"),
        _ => format!("{VICTIM}@example.com@example.com"),
    };
    Guess {
        attempt: Attempt::new(&name, &password(n), networks.next()),
        patience: None,
        twice: false,
    }
}

#[cfg(test)]
#[path = "guesses_tests.rs"]
mod tests;
