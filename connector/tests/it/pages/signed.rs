//! What people do who are signed in, by calls

mod address;
mod close;
mod history;
mod password;
mod profile;
mod races;
mod search;
mod secrets;
mod tokens;
mod undo;
