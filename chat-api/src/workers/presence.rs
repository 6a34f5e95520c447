//! Who is online and who is typing: from this replica to the others, from them to this one, and to its sockets.

mod publisher;
mod reader;
mod rooms;
mod teller;

pub use publisher::PresencePublisher;
pub use reader::PresenceReader;
pub use teller::{Teller, WARM_WITHIN};
