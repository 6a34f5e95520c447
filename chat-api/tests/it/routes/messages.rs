//! `/v1/messages`: a route each (`send`, `history`, `by_id`), and what several of them promise.

mod by_id;
mod changes;
mod history;
mod idempotency;
mod pages;
mod rate;
mod reads;
mod send;
