//! The commands of the program, a file each; and what all say of a database that is away.

mod audit_tail;
mod check_config;
mod migrate;
mod seed;
mod sign_in_settings;
mod unreachable;
mod users;
