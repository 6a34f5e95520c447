//! People: everybody who has shown a token, so that others find them by name.
//!
//! A [`Person`] is what one verified token says. The [`Book`] knows what of that was handed on to be stored already:
//! most tokens say what the one before said, and nobody waits for a database to be let in.

mod book;
mod key;
mod person;

pub use book::Book;
pub use key::{EmailKey, NamePrefix, name_keys};
pub use person::Person;
