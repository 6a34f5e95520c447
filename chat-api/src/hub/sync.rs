//! The locks of what several tasks walk at once, named in one place: a test puts loom's here, and has the
//! same files walked in every order (`tests/interleavings`).

pub(super) use std::sync::atomic::{AtomicBool, Ordering};
pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
