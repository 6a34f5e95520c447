//! What the program counts: every name, once, with its meaning.
//!
//! Code counts under the constants. [`ALL`] describes them to Prometheus, and tests compare it with
//! the dashboard, the alerts and the documents.

use metrics::Unit;

/// What the audit trail says, counted.
pub const AUTH_EVENTS: &str = "auth_events_total";
/// Calls that nobody could answer.
pub const AUTH_UNAVAILABLE: &str = "auth_unavailable_total";
/// Lines that the audit trail lost.
pub const AUDIT_FAILURES: &str = "audit_failures_total";
/// Connections refused at the handshake.
pub const TLS_REJECTS: &str = "tls_rejects_total";
/// Changed TLS files.
pub const TLS_RELOADS: &str = "tls_reloads_total";
/// The end of our own certificate.
pub const TLS_CERTIFICATE_EXPIRES: &str = "tls_certificate_expires_seconds";
/// How long calls took.
pub const GRPC_CALL: &str = "grpc_call_seconds";
/// How long hashing was waited for.
pub const HASH_QUEUE: &str = "hash_queue_seconds";
/// Hashes that were not begun.
pub const HASH_REFUSED: &str = "hash_refused_total";
/// Hashes under way.
pub const HASH_PERMITS_IN_USE: &str = "hash_permits_in_use";
/// Passwords whose pepper is not there.
pub const PEPPER_MISSING: &str = "pepper_missing_total";
/// Attempts over a limit.
pub const LIMIT_REFUSALS: &str = "limit_refusals_total";
/// Names and networks whose attempts are remembered.
pub const LIMIT_KEYS: &str = "limit_keys";
/// Attempts without a usable address.
pub const LOGIN_WITHOUT_ADDRESS: &str = "login_without_address_total";
/// Networks that began to be blocked.
pub const SPRAYING_BLOCKS: &str = "spraying_blocks_total";
/// Networks that are blocked.
pub const SPRAYING_NETWORKS: &str = "spraying_networks";
/// Attempts that the guard did not let in.
pub const GUARD_REFUSALS: &str = "guard_refusals_total";
/// Accounts that became locked.
pub const ACCOUNT_LOCKS: &str = "account_locks_total";
/// Revocations tried at Dex.
pub const REVOCATIONS: &str = "revocations_total";
/// The age of the oldest pending revocation.
pub const REVOCATION_AGE: &str = "revocation_age_seconds";
/// The age of the oldest mail that was not sent.
pub const OUTBOX_AGE: &str = "outbox_age_seconds";

/// Partitions of the audit trail that are ready.
pub const AUDIT_PARTITIONS_AHEAD: &str = "audit_partitions_ahead";

/// How values behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at each start.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Is counted by size.
    Histogram,
}

/// One name.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// How values behave.
    pub kind: Kind,
    /// What a value is measured in.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// One sentence for operators.
    pub help: &'static str,
}

/// Every name.
pub const ALL: &[Metric] = &[
    counter(AUTH_EVENTS, &["event", "reason"], "What the audit trail says, counted."),
    counter(AUTH_UNAVAILABLE, &["call", "missing"], "Calls that nobody could answer."),
    counter(AUDIT_FAILURES, &[], "Audit lines that were lost; the log has them."),
    counter(TLS_REJECTS, &[], "Connections without an acceptable certificate."),
    counter(TLS_RELOADS, &["outcome"], "Changed TLS files: taken, or refused as unusable."),
    seconds(TLS_CERTIFICATE_EXPIRES, &[], "When the served certificate ends, Unix time."),
    timed(GRPC_CALL, &["call", "code"], "How long a call took, padding included."),
    timed(HASH_QUEUE, &["caller"], "How long an attempt waited for its turn to hash."),
    counter(HASH_REFUSED, &["caller"], "Attempts that could not be hashed in time."),
    gauge(HASH_PERMITS_IN_USE, &[], "Hashes that are being computed."),
    counter(PEPPER_MISSING, &[], "Attempts on passwords whose pepper is not configured."),
    counter(LIMIT_REFUSALS, &["limit"], "Attempts over a limit, by limit."),
    gauge(LIMIT_KEYS, &["limit"], "Names and networks whose attempts are remembered."),
    counter(LOGIN_WITHOUT_ADDRESS, &[], "Attempts that came without a usable address."),
    counter(SPRAYING_BLOCKS, &[], "Networks that began to be blocked for too many failing names."),
    gauge(SPRAYING_NETWORKS, &[], "Networks that are blocked for too many failing names."),
    counter(GUARD_REFUSALS, &["why"], "Attempts that the guard did not let in."),
    counter(ACCOUNT_LOCKS, &[], "Accounts, or names of nobody, that became locked."),
    counter(REVOCATIONS, &["outcome"], "Revocations that were tried at Dex."),
    seconds(REVOCATION_AGE, &[], "Age of the oldest pending revocation; 0 without one."),
    seconds(OUTBOX_AGE, &[], "Age of the oldest mail that was not sent; 0 without one."),
    gauge(AUDIT_PARTITIONS_AHEAD, &[], "Months to come that the audit trail has partitions for."),
];

type Labels = &'static [&'static str];

const fn counter(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, labels, help }
}

const fn gauge(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit: Unit::Count, labels, help }
}

const fn seconds(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit: Unit::Seconds, labels, help }
}

const fn timed(name: &'static str, labels: Labels, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Histogram, unit: Unit::Seconds, labels, help }
}

/// Describes every name to the registry, which must be open. Counters without labels begin at 0
/// here, so that an alert sees their first event as an increase.
pub fn describe() {
    for Metric { name, kind, unit, labels, help } in ALL.iter().copied() {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => metrics::describe_histogram!(name, unit, help),
        }
        if kind == Kind::Counter && labels.is_empty() {
            metrics::counter!(name).increment(0);
        }
    }
}
