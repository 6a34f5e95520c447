//! How much work one bcrypt hash is.

use thiserror::Error;

/// A bcrypt cost that we accept: 10 to 12. Below, guessing is cheap; above, a login is slow
/// (measured on one core: 85, 169 and 317 ms).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(u32);

/// A cost that is not in 10 to 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a bcrypt cost is a number from 10 to 12")]
pub struct InvalidCost;

impl Cost {
    /// The cheapest that we accept.
    pub const MIN: Self = Self(10);

    /// The most expensive that we accept.
    pub const MAX: Self = Self(12);

    /// Accepts 10 to 12.
    pub fn new(cost: u32) -> Result<Self, InvalidCost> {
        let cost = Self(cost);
        if (Self::MIN..=Self::MAX).contains(&cost) { Ok(cost) } else { Err(InvalidCost) }
    }

    /// Accepts the decimal form of 10 to 12.
    pub fn parse(text: &str) -> Result<Self, InvalidCost> {
        text.parse().map_err(|_| InvalidCost).and_then(Self::new)
    }

    /// Rounds of key expansion in one hash: 2^cost. The time of a hash is proportional to it.
    #[must_use]
    pub fn rounds(self) -> u32 {
        1 << self.0
    }

    /// How many hashes of the cheapest cost take as long as one of this.
    pub(super) fn times_the_cheapest(self) -> u32 {
        self.rounds() / Self::MIN.rounds()
    }
}

impl From<Cost> for u32 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

#[cfg(test)]
#[path = "cost_tests.rs"]
mod tests;
