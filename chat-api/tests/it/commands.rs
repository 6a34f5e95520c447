//! The commands of the program, a file each; and what all say of a server that is away.

mod archive;
mod dlq;
mod serve;
mod topics;
mod unreachable;
