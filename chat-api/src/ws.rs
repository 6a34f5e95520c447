//! What is said on a socket, and how it ends: frames, close codes, the connection beneath them.

pub mod close;
pub mod frame;
pub mod socket;
