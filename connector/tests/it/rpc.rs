//! What Dex calls: a file for each call (`prompt`, `login`, `refresh`), for health and reflection,
//! and for what holds for all of them.

mod bad_input;
mod connections;
mod hang_ups;
mod health;
mod login;
mod prompt;
mod reflection;
mod refresh;
mod secrets;
mod tls;
mod traces;
