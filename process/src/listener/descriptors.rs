//! How many connections a process can hold.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not for people: 64 connections of the admin port, 384 of auth-connector's gRPC
/// port, about 100 to databases, brokers and Dex, logs, and some to spare.
const OWN: u64 = 640;

/// The `wanted` connections, or as many as the system's limit of open files leaves. The limit is
/// raised as far as that may be done without asking (the soft one is often 1,024, for programs that
/// use `select`).
pub(super) fn affordable(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let left = files.map_or(usize::MAX, |files| {
        usize::try_from(files.saturating_sub(OWN)).unwrap_or(usize::MAX).max(1)
    });
    if left < wanted {
        tracing::warn!(
            files,
            connections = left,
            "fewer connections than HTTP_CONNECTIONS: the system's limit of open files is too low"
        );
    }
    left.min(wanted)
}
