//! Options that a role cannot do without.

use thiserror::Error;

use super::roles::Role;

/// An option that one of the roles cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("--{option} is needed by the role {role}")]
pub struct MissingOption {
    option: &'static str,
    role: Role,
}

/// The value of an option, if it was given.
pub(super) fn needed<T: Clone>(
    value: Option<&T>,
    option: &'static str,
    role: Role,
) -> Result<T, MissingOption> {
    value.cloned().ok_or(MissingOption { option, role })
}
