//! Passwords: what a stored hash may look like, and the bounded pool that verifies them.

mod pool;
mod stored;

pub use pool::{Cost, InvalidCost, Pool, Saturated};
pub use stored::{InvalidHash, StoredHash};
