//! Passwords: what is stored of one, the bounded pool that hashes, and what makes every refusal
//! cost the same.

mod calibration;
mod cost;
mod credential;
mod hashing;
mod niceness;
mod parking;
mod pepper;
mod pool;
mod rules;

pub use calibration::Calibration;
pub use cost::{Cost, InvalidCost};
pub use credential::{Credential, InvalidHash};
pub use hashing::Verified;
pub use parking::Parking;
pub use pepper::{InvalidPepper, InvalidPeppers, Peppers};
pub use pool::{Caller, Permit, Pool, Saturated};
pub use rules::{NewPassword, PasswordRules, UnfitPassword};

/// Longest password that is looked at, in bytes. NIST SP 800-63B-4 §3.1.1.2 asks for at least 64
/// characters; 1,024 leave room for a passphrase in any script.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What a login ticket begins with. A ticket comes in where a password is typed, so no password may
/// begin with it.
pub const TICKET_PREFIX: &str = "lat1_";
