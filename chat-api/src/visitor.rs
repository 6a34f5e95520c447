//! Who asks: a person, or a guest.

use service_process::network::Network;

use crate::message::UserId;

/// Who asks, as far as rooms and limits tell people apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Visitor {
    /// A person, whose token was verified.
    Person(UserId),
    /// Somebody without a token. All of one network are one.
    Guest(Network),
}

impl Visitor {
    /// The person; a guest is none.
    #[must_use]
    pub fn person(&self) -> Option<&UserId> {
        match self {
            Self::Person(person) => Some(person),
            Self::Guest(_) => None,
        }
    }
}
