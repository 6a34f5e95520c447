//! The role `worker`, and the due work that it does.

mod due_work;
mod revocations;
mod sweep;
