//! What people prove, what that is good for, and what comes of it.

use clap::ValueEnum;

use super::hand_over::HandOver;
use crate::account::AccountId;
use crate::flow::HandBack;

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SignUp {
    /// Whoever proves an address.
    Open,
    /// Whoever is invited.
    Invite,
    /// Nobody.
    Closed,
}

/// What a proved address is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To make an account with it.
    Account,
    /// To choose another password for its account.
    Password(AccountId),
    /// To open its account again.
    Opening(AccountId),
}

/// An address that was proved, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The address.
    pub email: String,
    /// What the owner of its account is called; empty if nobody has one, or goes without.
    pub full_name: String,
    /// Its user name, if it has one.
    pub username: Option<String>,
    /// What for.
    pub next: Next,
    /// Where its flow leads back to; `None`: nowhere.
    pub hand_back: Option<HandBack>,
}

/// An account that was made.
#[derive(Debug)]
pub struct SignedUp {
    /// The account.
    pub account: AccountId,
    /// How its owner goes on at Dex; `None`: at the app.
    pub hand_over: Option<HandOver>,
}
