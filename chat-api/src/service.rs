//! What a running replica is made of, as far as handlers and sessions see it.

use std::sync::Arc;

use axum::http::HeaderValue;
use dex_tokens::Verifier;
use service_process::admin::Readiness;
use service_process::sources::Sources;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::archive::Reads;
use crate::backfill::Backfill;
use crate::config::Patience;
use crate::hub::Hub;
use crate::ingest::Ingest;
use crate::kafka::Partitioner;
use crate::metrics;
use crate::sockets::Sockets;

/// What handlers and sessions work with.
pub struct Service {
    /// Knows people by their tokens.
    pub verifier: Verifier,
    /// The way in.
    pub ingest: Ingest,
    /// What was said lately.
    pub hub: Arc<Hub>,
    /// What was said.
    pub reads: Arc<Reads>,
    /// Pages of it for sockets that are behind.
    pub backfill: Backfill,
    /// Which partition a room is in.
    pub partitioner: Partitioner,
    /// Time and randomness.
    pub sources: Sources,
    /// How patient sessions are.
    pub patience: Patience,
    /// Origins whose pages may call.
    pub allowed_origins: Vec<HeaderValue>,
    /// Whether a request may say which trace it belongs to.
    pub trusts_traceparent: bool,
    /// Whether there can be work.
    pub readiness: Readiness,
    /// Cancelled when a stop was asked for: no more work should come here.
    pub leaving: CancellationToken,
    /// Every open socket, to be told something.
    pub sockets: Arc<Sockets>,
    /// Every open socket, to be waited for.
    pub open_sockets: TaskTracker,
    /// What is counted too often to look its counter up each time.
    pub counters: Counters,
}

/// Counters that are looked up once.
pub struct Counters {
    /// Events that were handed to sockets.
    pub delivered: ::metrics::Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self { delivered: ::metrics::counter!(metrics::EVENTS_DELIVERED) }
    }
}
