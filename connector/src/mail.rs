//! Mail: what it says, in which language, and how it is handed to a mail server.
//!
//! No mail repeats what somebody typed, but for the address that it goes to: whoever can choose a name
//! could otherwise have us send their words to others.

mod code_words;
mod language;
mod letter;
mod smtp;
mod undo_words;
mod words;

pub use code_words::{code_letter, invitation_letter};
pub use language::Language;
pub use letter::Letter;
pub use smtp::{Encryption, InvalidSmtp, SendError, Sender, Smtp, SmtpSettings};
pub use undo_words::undo_letter;
pub use words::{Occasion, letter};
