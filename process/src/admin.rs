//! The admin port: liveness, readiness and metrics, over HTTP.
//!
//! It is meant for the platform, not for users, and listens on a port of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::lifecycle::Tasks;
use crate::listener::{Limits, Listener, bind};
use crate::telemetry;

/// How often recorded samples are folded, so that memory stays bounded when nobody scrapes.
const FOLD_SAMPLES_EVERY: Duration = Duration::from_secs(5);

/// Connections at once: a platform has a handful of probes and scrapers.
const CONNECTIONS: usize = 64;

/// Whether the process can do its work: the conjunction of named conditions.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    conditions: Arc<Mutex<BTreeMap<&'static str, ConditionState>>>,
}

#[derive(Debug, Clone, Serialize)]
struct ConditionState {
    met: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// One condition of a [`Readiness`], held by whoever can tell whether it is met.
#[derive(Debug, Clone)]
pub struct Condition {
    name: &'static str,
    readiness: Readiness,
}

impl Readiness {
    /// Readiness without any condition: met.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a condition, which is not met until its holder says so.
    #[must_use]
    pub fn condition(&self, name: &'static str) -> Condition {
        let waiting = ConditionState { met: false, detail: Some("starting".to_owned()) };
        self.lock().insert(name, waiting);
        Condition { name, readiness: self.clone() }
    }

    /// Whether every condition is met.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lock().values().all(|condition| condition.met)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, ConditionState>> {
        // Each write replaces one value whole, so a poisoned map is still consistent.
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// Says that the condition is met.
    pub fn met(&self) {
        self.set(true, None);
    }

    /// Says that the condition is met although something needs attention, and what. The text is shown on
    /// the admin port: no secrets.
    pub fn met_but(&self, detail: impl Into<String>) {
        self.set(true, Some(detail.into()));
    }

    /// Says that the condition is not met, and why. The text is shown on the admin port: no secrets.
    pub fn unmet(&self, detail: impl Into<String>) {
        self.set(false, Some(detail.into()));
    }

    fn set(&self, met: bool, detail: Option<String>) {
        self.readiness.lock().insert(self.name, ConditionState { met, detail });
    }
}

/// The admin port, bound and not yet served.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    local_addr: SocketAddr,
}

#[derive(Clone)]
struct AdminState {
    readiness: Readiness,
    stopping: CancellationToken,
    metrics: PrometheusHandle,
}

impl Admin {
    /// Binds the admin port; port 0 lets the system choose.
    pub fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = bind("ADMIN_LISTEN", address)?;
        let local_addr = listener.local_addr()?;
        Ok(Self { listener, local_addr })
    }

    /// The address in use.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves `/live`, `/ready` and `/metrics` until the last moment of the process, so that a
    /// draining process can still be watched.
    pub fn serve(self, tasks: &Tasks, readiness: Readiness) {
        let metrics = telemetry::metrics();
        let state =
            AdminState { readiness, stopping: tasks.stopping().clone(), metrics: metrics.clone() };
        let router = Router::new()
            .route("/live", get(|| async { "alive\n" }))
            .route("/ready", get(ready))
            .route("/metrics", get(exposition))
            .with_state(state);

        let listener = Listener::admin(self.listener, Limits::new(CONNECTIONS));
        tasks.observer(listener.serve(router, std::future::pending()));
        tasks.observer(async move {
            let mut tick = tokio::time::interval(FOLD_SAMPLES_EVERY);
            loop {
                tick.tick().await;
                metrics.run_upkeep();
            }
        });
    }
}

async fn ready(State(state): State<AdminState>) -> impl IntoResponse {
    #[derive(Serialize)]
    struct Report {
        ready: bool,
        stopping: bool,
        conditions: BTreeMap<&'static str, ConditionState>,
    }

    let stopping = state.stopping.is_cancelled();
    let ready = !stopping && state.readiness.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let conditions = state.readiness.lock().clone();
    (status, Json(Report { ready, stopping, conditions }))
}

async fn exposition(State(state): State<AdminState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], state.metrics.render())
}
