//! What is to be done later: each kind of work, how long it is worth doing, and how much of it is
//! enough.
//!
//! Work is written in the transaction of what causes it. Somebody claims it, and then finishes or
//! postpones it. What is not finished while it is worth doing is dead: nobody claims it any more.

use chrono::TimeDelta;
use strum::{EnumIter, IntoStaticStr};

/// A kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkKind {
    /// Dex is to forget the sessions of an account that began before.
    Revocation,
    /// The owner of an account is to get mail.
    Mail(MailKind),
    /// Somebody is to get a code by mail.
    Code,
    /// Somebody is to get an invitation by mail. The work has its id.
    Invitation,
    /// Who reads the mail of a former address is to get the code that brings it back. The work has its id.
    Undo,
}

/// What a mail is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(prefix = "mail.", serialize_all = "snake_case")]
pub enum MailKind {
    /// Too many attempts failed: the account is closed to strangers.
    #[default]
    AccountLocked,
    /// The password was right and has to be changed first.
    MustChange,
    /// Another password opens the account from now on.
    PasswordChanged,
    /// The account has another e-mail address from now on. It goes to the one before.
    EmailChanged,
    /// Somebody signed in from a network that the account was not known from.
    NewNetwork,
}

impl WorkKind {
    /// Every kind of mail to the owners of accounts.
    pub const NOTICES: [Self; 5] = [
        Self::Mail(MailKind::AccountLocked),
        Self::Mail(MailKind::MustChange),
        Self::Mail(MailKind::PasswordChanged),
        Self::Mail(MailKind::EmailChanged),
        Self::Mail(MailKind::NewNetwork),
    ];

    /// Every kind of mail.
    pub const MAIL: [Self; 8] = [
        Self::NOTICES[0],
        Self::NOTICES[1],
        Self::NOTICES[2],
        Self::NOTICES[3],
        Self::NOTICES[4],
        Self::Code,
        Self::Invitation,
        Self::Undo,
    ];

    /// The kind's name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Mail(kind) => kind.into(),
            Self::Code => "mail.code",
            Self::Invitation => "mail.invitation",
            Self::Undo => "mail.undo",
        }
    }

    /// What a mail of this kind is about: its name where it is known to be one of mail.
    #[must_use]
    pub fn subject(self) -> &'static str {
        self.name().trim_start_matches("mail.")
    }
}

impl MailKind {
    /// How long a mail is worth sending. After a day it tells nobody anything any more: nothing of an
    /// outage, or of the time before mail is sent at all, is to go out years later.
    pub const LIFE: TimeDelta = TimeDelta::hours(24);

    /// The kind's name where it is known to be one of mail.
    #[must_use]
    pub fn name(self) -> &'static str {
        WorkKind::Mail(self).subject()
    }

    /// For how long one mail of this kind is enough for an account; `None` if each cause has its own.
    ///
    /// A lock can be caused by anybody, so its notice must not become a weapon of its own; a password
    /// that has to be changed is asked for by whoever knows it. Who signs in from elsewhere did prove the
    /// password: one notice that waits is enough for all that happens meanwhile. A change of what opens
    /// the account is told each time, because the second may be a thief's.
    #[must_use]
    pub fn enough_for(self) -> Option<TimeDelta> {
        match self {
            Self::AccountLocked => Some(TimeDelta::hours(24)),
            Self::MustChange => Some(TimeDelta::hours(1)),
            Self::NewNetwork => Some(TimeDelta::zero()),
            Self::PasswordChanged | Self::EmailChanged => None,
        }
    }
}

#[cfg(test)]
#[path = "due_tests.rs"]
mod tests;
