//! A flow: what somebody who is not signed in wants for an address, until a code that was mailed there
//! proves that they read its mail.
//!
//! A browser knows its flow by a [token](FlowToken). Codes are never stored: who sends one and who checks
//! one compute it from the flow, a number and a [key](CodeKey).

mod code;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use service_process::sources::Sources;
use sha2::{Digest as _, Sha256};
use strum::{EnumString, IntoStaticStr};

pub use code::{Code, CodeKey, CodeNumber, InvalidCode, InvitationCode};

use crate::account::AccountId;

/// How long a code is good after the mail server took it: time to find the mail and to type eight signs.
pub const CODE_LIFE: TimeDelta = TimeDelta::minutes(10);

/// How long a code may wait to be sent, and a flow for its next code.
pub const REQUEST_LIFE: TimeDelta = TimeDelta::hours(24);

/// How long a flow may be used once its code was shown: it is worth the account then.
pub const PROVED_LIFE: TimeDelta = TimeDelta::minutes(15);

/// How long the code of an invitation is good: who gets one did not ask for it.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);

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

/// A flow as its browser knows it: 160 bits that nobody can guess. The database has only their SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowToken([u8; 20]);

impl FlowToken {
    /// A new one.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let mut token = [0; 20];
        let (first, second) = token.split_at_mut(10);
        first.copy_from_slice(&(sources.random)());
        second.copy_from_slice(&(sources.random)());
        Self(token)
    }

    /// Reads what a browser sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As a browser keeps it.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the forms of the flow's pages bear it: it tells pages of two flows apart, and opens nothing.
    #[must_use]
    pub fn of_form(&self) -> String {
        let code = Sha256::new().chain_update(b"form").chain_update(self.0).finalize();
        URL_SAFE_NO_PAD.encode(&code[..16])
    }

    /// As the database knows it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for FlowToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowToken(…)")
    }
}
