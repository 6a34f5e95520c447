//! The socket's side: the upgrade, the frames, the close codes.

pub mod close;
pub mod frame;
mod upgrade;

pub use upgrade::upgrade;
