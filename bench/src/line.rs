//! The connection to a replica, renewed in time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// The service ends connections that are five minutes old, after it said so. Dex's client heeds that
/// at once; this one goes on calling until the connection is closed, and would lose a call.
const RENEWED_AFTER: Duration = Duration::from_mins(4);

/// The connection to a replica, cheap to clone.
#[derive(Clone)]
pub(crate) struct Line {
    endpoint: Endpoint,
    current: Arc<Mutex<(Instant, Channel)>>,
}

impl Line {
    pub(crate) async fn open(endpoint: Endpoint) -> Result<Self> {
        let channel = endpoint.connect().await.context("the service refuses the connection")?;
        Ok(Self { endpoint, current: Arc::new(Mutex::new((Instant::now(), channel))) })
    }

    /// A connection that lives longer than any call. Calls under way keep the one they have.
    pub(crate) async fn channel(&self) -> Result<Channel, Status> {
        let mut current = self.current.lock().await;
        if current.0.elapsed() > RENEWED_AFTER {
            let fresh = self.endpoint.connect().await;
            let fresh = fresh.map_err(|error| Status::unavailable(error.to_string()))?;
            *current = (Instant::now(), fresh);
        }
        Ok(current.1.clone())
    }
}
