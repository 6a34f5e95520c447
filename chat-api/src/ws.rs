//! What is said on a socket, and how it ends: frames, close codes, the connection beneath them.

pub mod close;
pub mod frame;
mod framing;
pub mod line;
#[cfg(test)]
pub(crate) mod narrow;
pub mod notes;
pub mod socket;
pub mod wire;

#[cfg(test)]
pub(crate) use framing::text;
