//! devstack from outside: real servers, started, stopped, killed.

mod documents;
mod endpoints;
mod pki;
mod ports;
mod servers;
mod supervision;
