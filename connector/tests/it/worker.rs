//! The role `worker`, and the due work that it does.

mod due_work;
mod mail;
mod mail_server;
mod notices;
mod revocations;
mod sweep;
