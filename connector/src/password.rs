//! Passwords: what is stored of one, the bounded pool that hashes, and what makes every refusal
//! cost the same.

mod breaches;
mod calibration;
mod cost;
mod credential;
mod guessable;
mod hashing;
mod niceness;
mod parking;
mod pepper;
mod pool;
mod rules;

pub use breaches::{Breaches, NoClient};
pub use calibration::Calibration;
pub use cost::{Cost, InvalidCost};
pub use credential::{Credential, InvalidHash};
use guessable::is_common;
pub use hashing::Verified;
pub use parking::Parking;
pub use pepper::{InvalidPepper, InvalidPeppers, Peppers};
pub use pool::{Caller, Permit, Pool, Saturated};
pub use rules::{MAX_PASSWORD_BYTES, NewPassword, PasswordRules, TICKET_PREFIX, UnfitPassword};
