//! How commands end.

use thiserror::Error;

/// How a command ended that answers on standard output.
pub(super) type Answer = anyhow::Result<()>;

/// The account that a command names is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no such account")]
pub(super) struct NoSuchAccount;

/// The exit code of a command whose account is not there.
pub(super) const NO_SUCH_ACCOUNT: u8 = 2;

/// Arguments of which each is usable and that do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) &'static str);
