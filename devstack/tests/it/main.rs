//! devstack from outside: real servers, started, stopped, killed.

mod endpoints;
mod pki;
mod ports;
mod servers;
mod supervision;
