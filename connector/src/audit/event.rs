//! What can happen, each by its name in the trail. The names are an interface: docs/LOGGING.md has all of
//! them, and a test compares.

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

use crate::due::MailKind;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
pub enum Event {
    /// An attempt succeeded, by this proof.
    #[strum(serialize = "login.ok")]
    LoginOk(Proof),
    /// An attempt was refused, for this true reason.
    #[strum(serialize = "login.fail")]
    LoginFail(RefusalReason),
    /// Attempts from a network were turned away unheard. Written once a minute and network.
    #[strum(serialize = "login.throttled")]
    LoginThrottled,
    /// More attempts on one account from one network were refused than are worth a line each.
    #[strum(serialize = "login.folded")]
    Folded,
    /// An account, or a name that belongs to nobody, is closed to strangers from now on.
    #[strum(serialize = "account.locked")]
    AccountLocked,
    /// A session went on.
    #[strum(serialize = "refresh.ok")]
    RefreshOk,
    /// A session was refused to go on.
    #[strum(serialize = "refresh.denied")]
    RefreshDenied(DenialReason),
    /// Dex forgot the sessions of an account.
    #[strum(serialize = "sessions.ended")]
    SessionsEnded,
    /// An operator created an account.
    #[strum(serialize = "account.created")]
    AccountCreated,
    /// An operator forbade the use of an account.
    #[strum(serialize = "account.disabled")]
    AccountDisabled,
    /// An operator allowed it again.
    #[strum(serialize = "account.enabled")]
    AccountEnabled,
    /// An operator forgot the failures of an account.
    #[strum(serialize = "account.unlocked")]
    AccountUnlocked,
    /// An operator deleted an account.
    #[strum(serialize = "account.deleted")]
    AccountDeleted,
    /// An operator changed the groups of an account.
    #[strum(serialize = "account.groups_changed")]
    AccountGroupsChanged,
    /// A seed file changed names, address or groups of an account.
    #[strum(serialize = "account.changed")]
    AccountChanged,
    /// A seed file gave an account a password, the first or another.
    #[strum(serialize = "account.password_set")]
    AccountPasswordSet,
    /// Somebody proved an address, or was invited, and made an account for it.
    #[strum(serialize = "account.signed_up")]
    AccountSignedUp,
    /// An operator invited somebody to make an account.
    #[strum(serialize = "account.invited")]
    AccountInvited,
    /// A flow ended with a ticket, by which its browser signs in.
    #[strum(serialize = "ticket.issued")]
    TicketIssued,
    /// Somebody proved the address of an account, which was not proved before.
    #[strum(serialize = "account.email_verified")]
    AccountEmailVerified,
    /// Somebody proved the address of an account and gave it another password.
    #[strum(serialize = "account.password_reset")]
    AccountPasswordReset,
    /// The owner of an account changed its name or telephone number.
    #[strum(serialize = "account.profile_changed")]
    AccountProfileChanged,
    /// The owner of an account gave it another password.
    #[strum(serialize = "account.password_changed")]
    AccountPasswordChanged,
    /// The owner of an account gave it another address, which was proved.
    #[strum(serialize = "account.email_changed")]
    AccountEmailChanged,
    /// Somebody who reads the mail of an address that an account had brought that back.
    #[strum(serialize = "account.email_restored")]
    AccountEmailRestored,
    /// The owner of an account had a network forgotten that it was known from.
    #[strum(serialize = "account.network_forgotten")]
    AccountNetworkForgotten,
    /// The owner of an account ended its sessions.
    #[strum(serialize = "account.signed_out")]
    AccountSignedOut,
    /// The owner of an account deleted it.
    #[strum(serialize = "account.closed")]
    AccountClosed,
    /// The owner of this account looked for accounts.
    #[strum(serialize = "accounts.searched")]
    AccountsSearched(SearchedBy),
    /// The mail server took a mail about this for the owner of an account.
    #[strum(serialize = "mail.sent")]
    MailSent(MailKind),
    /// The mail server took a mail with a code, or an invitation.
    #[strum(serialize = "code.sent")]
    CodeSent,
    /// A mail with a code, or an invitation, was not sent while anybody waited for it.
    #[strum(serialize = "code.dead")]
    CodeDead,
    /// A mail about this was not sent while it was worth sending, or had nowhere to go.
    #[strum(serialize = "mail.dead")]
    MailDead(MailKind),
}

// Each of the following has a default because the list of events begins with one of each reason;
// `Event::all` puts every other in its place.

/// What somebody showed to get in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumIter)]
pub enum Proof {
    /// The password.
    #[default]
    Password,
    /// A ticket of the accounts pages.
    Ticket,
    /// The password once more, by who is signed in.
    Confirmation,
}

/// What accounts were looked for by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum SearchedBy {
    /// The id of one.
    #[default]
    Id,
    /// A part of their names.
    Name,
    /// A part of their telephone numbers.
    Phone,
}

/// Why an attempt was refused. Shown to operators, never to the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalReason {
    /// What was typed as a name or as a password cannot be one.
    #[default]
    Malformed,
    /// No account has this name.
    UnknownName,
    /// The account has no password yet.
    NoPassword,
    /// The password is another one.
    WrongPassword,
    /// The ticket is used up, expired, or made for somebody else or for elsewhere.
    Ticket,
    /// The account is disabled.
    Disabled,
    /// The password has to be changed first. Its owner got mail.
    MustChange,
    /// The e-mail address is not proved, and the configuration wants that.
    UnverifiedEmail,
    /// Too many attempts failed: closed to strangers.
    Locked,
    /// Too many attempts were under way at once.
    Busy,
    /// The network tried too many names, and the account is not known there.
    Sprayed,
    /// Too many attempts with this name.
    Throttled,
}

/// Why a session may not go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DenialReason {
    /// The account is gone.
    #[default]
    Deleted,
    /// The account is disabled.
    Disabled,
    /// The account's earlier logins were ended.
    OldEpoch,
    /// Dex is yet to forget sessions of the account. It keeps one epoch for all of them, which a
    /// new login replaces: until then an earlier session cannot be told from a later one.
    RevocationPending,
}

impl Event {
    /// The event's name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The reason's name in the trail.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::LoginOk(Proof::Ticket) => Some("ticket"),
            Self::LoginOk(Proof::Confirmation) => Some("confirmation"),
            Self::AccountsSearched(by) => Some(by.into()),
            Self::LoginFail(reason) => Some(reason.into()),
            Self::RefreshDenied(reason) => Some(reason.into()),
            Self::MailSent(kind) | Self::MailDead(kind) => Some(kind.name()),
            _ => None,
        }
    }

    /// Every event with every reason, for documents and for those who search the trail.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let with_reasons = |event: Self| -> Vec<Self> {
            match event {
                Self::LoginOk(_) => Proof::iter().map(Self::LoginOk).collect(),
                Self::AccountsSearched(_) => {
                    SearchedBy::iter().map(Self::AccountsSearched).collect()
                }
                Self::LoginFail(_) => RefusalReason::iter().map(Self::LoginFail).collect(),
                Self::RefreshDenied(_) => DenialReason::iter().map(Self::RefreshDenied).collect(),
                Self::MailSent(_) => MailKind::iter().map(Self::MailSent).collect(),
                Self::MailDead(_) => MailKind::iter().map(Self::MailDead).collect(),
                event => vec![event],
            }
        };
        Self::iter().flat_map(with_reasons).collect()
    }
}

impl RefusalReason {
    /// Whether it holds whatever the password is.
    #[must_use]
    pub fn comes_before_the_password(self) -> bool {
        matches!(self, Self::Malformed | Self::UnknownName | Self::NoPassword)
    }

    /// The reason's name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
