//! A statement that is waited for so long and no longer.

use std::time::Duration;

use super::error::StoreError;
use super::timeouts::{LONGEST_STATEMENT, LONGEST_STEP};

/// A step that somebody waits for.
pub(super) async fn in_time<T, E: Into<StoreError>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    within(LONGEST_STEP, step).await
}

/// What must not stay in doubt. A statement is carried out once it is sent, so it is better to know when.
pub(super) async fn to_the_end<T, E: Into<StoreError>>(
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    within(LONGEST_STATEMENT, step).await
}

async fn within<T, E: Into<StoreError>>(
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, step).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(StoreError::TimedOut),
    }
}
