//! Threads that hash step back for those that answer.

/// How much threads that hash step back, 0 to 19. At 10 the scheduler gives a thread that answers
/// nine times as much.
const HASHING_NICENESS: i32 = 10;

/// Lets every thread that answers go first: with every processor hashing, a health check would wait
/// for the scheduler else. What a hash takes on an idle machine stays the same. On Linux niceness is a
/// thread's own; the thread keeps it, which does no harm to the little else that such threads do.
pub(super) fn lower_priority() {
    thread_local! {
        static DONE: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    if !DONE.replace(true) {
        // Where it is not allowed, hashing goes on as it is.
        let _ = rustix::process::nice(HASHING_NICENESS);
    }
}
