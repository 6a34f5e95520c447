//! The socket's side: the upgrade, the frames, the close codes.

pub mod close;
pub mod frame;
pub mod socket;
mod upgrade;

pub use upgrade::upgrade;
