//! A flow: what somebody who is not signed in wants for an address, until a code that was mailed there
//! proves that they read its mail.
//!
//! A browser knows its flow by a [token](FlowToken). Codes are never stored: who sends one and who checks
//! one compute it from the flow, a number and a [key](CodeKey).

mod code;
mod hand_back;
mod ticket;
mod token;

use chrono::TimeDelta;
use strum::{EnumString, IntoStaticStr};

pub use code::{Code, CodeKey, CodeNumber, InvalidCode, InvitationCode, UndoCode};
pub use hand_back::{AuthorizationRequest, DexState, HandBack};
pub use ticket::Ticket;
pub use token::FlowToken;

use crate::account::AccountId;

/// How long a code is good after the mail server took it: time to find the mail and to type eight signs.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long a code may wait to be sent, and a flow for its next code.
pub const REQUEST_LIFE: TimeDelta = TimeDelta::hours(24);

/// How long a flow may be used once its code was shown: it is worth the account then.
pub const PROVED_LIFE: TimeDelta = TimeDelta::minutes(15);

/// How long the right code may be sent again by who sent it: a second click, or an answer that did not arrive.
pub const REPEAT_LIFE: TimeDelta = TimeDelta::minutes(1);

/// How long a ticket is good: time for a page to load and to send its form, and no more.
pub const TICKET_LIFE: TimeDelta = TimeDelta::seconds(60);

/// How long the code of an invitation is good: who gets one did not ask for it.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);

/// How long the code is good that brings a former address back: time for who is away to find its mail.
pub const UNDO_LIFE: TimeDelta = TimeDelta::days(7);

/// How often a code may be tried, once it is to be mailed. With 10 mails a day that is 50 tries a day at 2^40
/// codes.
pub const TRIES: i16 = 5;

/// Mails with a code that strangers can have sent to one address in an hour, and in a day; as many again
/// can be asked for from networks that the address's account is known from.
pub const MAILS_AN_HOUR: i32 = 3;
/// See [`MAILS_AN_HOUR`].
pub const MAILS_A_DAY: i32 = 10;

/// What a flow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FlowPurpose {
    /// To make an account.
    SignUp,
    /// To give an account another password.
    Reset,
    /// To open an account that too many failures closed.
    Unlock,
    /// To make an account, by an invitation: its code is not one of the flow.
    Invitation,
    /// To give the account of who is signed in another address, which the code proves.
    EmailChange,
}

impl FlowPurpose {
    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has an account with it.
    Free,
    /// This account, which may be used.
    Account(AccountId),
    /// An account that may not be used, or one whose address is spelt another way than the one that codes go
    /// to, which may be another mailbox. To whoever has not proved the address it is as if there were none.
    Disabled,
}
