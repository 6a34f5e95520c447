//! An error with its causes in one line, for logs.

use std::error::Error;
use std::fmt;

/// Shows an error and each of its sources, separated by `: `.
///
/// Not for errors of anyhow: their `{:#}` is the same.
pub struct ErrorChain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "error_chain_tests.rs"]
mod tests;
