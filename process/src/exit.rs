//! Exit codes that both services share.

/// The configuration cannot be used: `EX_USAGE` of `sysexits.h`. Restarting does not help.
pub const CONFIG: u8 = 64;

/// The service ran and failed. A restart may help.
pub const FAILURE: u8 = 1;
