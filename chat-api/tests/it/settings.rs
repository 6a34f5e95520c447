//! What operators set, and what comes of it: each setting by its variable, at the program itself.

mod kafka;
mod limits;
mod served;
