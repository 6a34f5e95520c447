//! What is wrong with an option, when only its user can tell.

/// A value that only its user can tell to be wrong. The text names the option.
#[derive(Debug, thiserror::Error)]
#[error("--{option}: {reason}")]
pub struct BadConfiguration {
    option: &'static str,
    reason: String,
}

impl BadConfiguration {
    /// The option without its dashes, and what is wrong with its value, without the value of a secret.
    pub(super) fn new(option: &'static str, reason: impl Into<String>) -> Self {
        Self { option, reason: reason.into() }
    }
}
