//! The role `worker`: what goes on in the background.
