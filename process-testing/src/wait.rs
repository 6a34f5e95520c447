//! Waiting for a condition, and never for ever.

use std::time::Duration;

/// After this something hangs. No test waits so long when all is well.
pub const HANG: Duration = Duration::from_mins(1);

/// Between two looks: lets others work. The condition decides, not the time.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks until there is an answer, at most for [`HANG`]. `what` is the condition, as a sentence.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(HANG, asking).await.unwrap_or_else(|_| panic!("never: {what}"))
}
