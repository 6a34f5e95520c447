//! What is to be done later: each kind of work, how long it is worth doing, and how much of it is
//! enough.
//!
//! Somebody claims the work, and then finishes or postpones it. What is not finished while it is worth
//! doing is dead: nobody claims it any more.
//!
//! A revocation is written in the transaction of what causes it. Mail about an attempt is written after the
//! attempt is settled, and a process that dies between the two writes none.

use chrono::TimeDelta;

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// Dex is to forget the sessions of an account that began before.
    Revocation,
    /// The owner of an account is to get mail.
    Mail(MailKind),
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// Too many attempts failed: the account is closed to strangers.
    AccountLocked,
    /// The password was right and has to be changed first: how to do that.
    MustChange,
}

impl WorkKind {
    /// Every kind of mail.
    pub const MAIL: [Self; 2] =
        [Self::Mail(MailKind::AccountLocked), Self::Mail(MailKind::MustChange)];

    /// The kind's name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Mail(MailKind::AccountLocked) => "mail.account_locked",
            Self::Mail(MailKind::MustChange) => "mail.must_change",
        }
    }
}

impl MailKind {
    /// How long a mail is worth sending. After a day it tells nobody anything any more: nothing of an
    /// outage, or of the time before mail is sent at all, is to go out years later.
    pub const LIFE: TimeDelta = TimeDelta::hours(24);

    /// For how long one mail of this kind is enough for an account. A lock can be caused by anybody, so
    /// its notice must not become a weapon of its own; a password that has to be changed is asked for by
    /// whoever knows it.
    #[must_use]
    pub fn enough_for(self) -> TimeDelta {
        match self {
            Self::AccountLocked => TimeDelta::hours(24),
            Self::MustChange => TimeDelta::hours(1),
        }
    }
}
