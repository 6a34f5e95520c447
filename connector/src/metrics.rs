//! What the program counts: every name, once, with its meaning.
//!
//! Code counts under the constants. [`ALL`] describes them to Prometheus, and tests compare it with
//! the dashboard, the alerts and the documents.

use service_process::listener;
use service_process::metrics::Metric;

/// What the audit trail says, counted.
pub const AUTH_EVENTS: &str = "auth_events_total";
/// Calls that nobody could answer.
pub const AUTH_UNAVAILABLE: &str = "auth_unavailable_total";
/// Lines that the audit trail lost.
pub const AUDIT_FAILURES: &str = "audit_failures_total";
/// Connections refused at the handshake.
pub const TLS_REJECTS: &str = "tls_rejects_total";
/// Connections that were ended unserved.
pub const GRPC_REFUSED: &str = "grpc_refused_total";
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
/// Tokens of who is signed in to the accounts pages, as `tokens` counts them.
pub const TOKEN_VERIFICATIONS: &str = "dex_token_verifications_total";
/// Requests for the keys of them.
pub const KEY_FETCHES: &str = "dex_key_fetches_total";
/// Flows that began, and passwords chosen in them, without a usable address.
pub const FLOWS_WITHOUT_ADDRESS: &str = "flows_without_address_total";
/// What became of flows.
pub const ACCOUNT_FLOWS: &str = "account_flows_total";
/// How sign-ins to the accounts pages ended.
pub const SIGN_INS: &str = "accounts_sign_ins_total";
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
/// Mail that was tried to be sent.
pub const MAILS: &str = "mails_total";
/// The age of the oldest mail that was not sent.
pub const OUTBOX_AGE: &str = "outbox_age_seconds";

/// Partitions of the audit trail that are ready.
pub const AUDIT_PARTITIONS_AHEAD: &str = "audit_partitions_ahead";

/// Every metric of this program.
pub const ALL: &[Metric] = &[
    Metric::counter(AUTH_EVENTS, &["event", "reason"], "What the audit trail says, counted."),
    Metric::counter(AUTH_UNAVAILABLE, &["call", "missing"], "Calls that nobody could answer."),
    Metric::counter(AUDIT_FAILURES, &[], "Audit lines that were lost; the log has them."),
    Metric::counter(TLS_REJECTS, &[], "Connections without an acceptable certificate."),
    Metric::counter(
        GRPC_REFUSED,
        &["why"],
        "Connections that were ended before they served a call: mute, no HTTP/2, or too many.",
    ),
    Metric::counter(TLS_RELOADS, &["outcome"], "Changed TLS files: taken, or refused as unusable."),
    Metric::seconds(TLS_CERTIFICATE_EXPIRES, &[], "When the served certificate ends, Unix time."),
    Metric::timed(GRPC_CALL, &["call", "code"], "How long a call took, padding included."),
    Metric::timed(HASH_QUEUE, &["caller"], "How long an attempt waited for its turn to hash."),
    Metric::counter(HASH_REFUSED, &["caller"], "Attempts that could not be hashed in time."),
    Metric::gauge(HASH_PERMITS_IN_USE, &[], "Hashes that are being computed."),
    Metric::counter(PEPPER_MISSING, &[], "Attempts on passwords whose pepper is not configured."),
    Metric::counter(LIMIT_REFUSALS, &["limit"], "Attempts over a limit, by limit."),
    Metric::gauge(LIMIT_KEYS, &["limit"], "Names and networks whose attempts are remembered."),
    Metric::counter(LOGIN_WITHOUT_ADDRESS, &[], "Attempts that came without a usable address."),
    Metric::counter(
        FLOWS_WITHOUT_ADDRESS,
        &[],
        "Flows that began, and passwords chosen in them, without a usable address.",
    ),
    Metric::counter(
        ACCOUNT_FLOWS,
        &["outcome"],
        "Flows that were begun, tried with a wrong code, proved, ended, or got no mail.",
    ),
    Metric::counter(
        SIGN_INS,
        &["outcome"],
        "Sign-ins to the accounts pages, and why others came to nothing.",
    ),
    Metric::counter(
        SPRAYING_BLOCKS,
        &[],
        "Networks that began to be blocked for too many failing names.",
    ),
    Metric::gauge(SPRAYING_NETWORKS, &[], "Networks that are blocked for too many failing names."),
    Metric::counter(GUARD_REFUSALS, &["why"], "Attempts that the guard did not let in."),
    Metric::counter(ACCOUNT_LOCKS, &[], "Accounts, or names of nobody, that became locked."),
    Metric::counter(REVOCATIONS, &["outcome"], "Revocations that were tried at Dex."),
    Metric::seconds(REVOCATION_AGE, &[], "Age of the oldest pending revocation; 0 without one."),
    Metric::counter(MAILS, &["kind", "outcome"], "Mail that was sent, not taken, or is dead."),
    Metric::seconds(OUTBOX_AGE, &[], "Age of the oldest mail that was not sent; 0 without one."),
    Metric::gauge(
        AUDIT_PARTITIONS_AHEAD,
        &[],
        "Months to come that the audit trail has partitions for.",
    ),
    Metric::counter(TOKEN_VERIFICATIONS, &["outcome"], "Tokens that were checked."),
    Metric::counter(KEY_FETCHES, &["outcome"], "Requests for Dex's keys."),
    listener::CONNECTIONS,
    listener::REFUSED,
    listener::CUT,
];

/// Opens the registry and describes every name to it. It comes first: what is looked up before that counts
/// for nobody.
pub fn describe() {
    service_process::metrics::describe(ALL);
}
