//! Whether a password is among the first that anybody tries: NIST SP 800-63B-4 §3.1.1.2 has them refused.
//!
//! What is tried first is what crate `zxcvbn` (MIT) knows: some 30,000 passwords that leaked most often, names and words
//! by how common they are, and what people make of them by repeating, by rows of keys, dates and digits. It takes a
//! password apart in memory that it does not wipe.

use zxcvbn::zxcvbn;

/// The guesses that a password takes at least of who begins with what is most common. Strangers have 60 at an account
/// until its owner signs in, so they need a million accounts for one of them that is as weak as this.
const FEWEST_GUESSES: u64 = 1_000_000;

/// Whether anybody who knows these words of its owner would try it early. It takes milliseconds:
/// `zxcvbn` looks at the first 100 characters and no further.
pub(super) fn is_common(password: &str, words: &[&str]) -> bool {
    zxcvbn(password, words).guesses() < FEWEST_GUESSES
}

#[cfg(test)]
#[path = "guessable_tests.rs"]
mod tests;
