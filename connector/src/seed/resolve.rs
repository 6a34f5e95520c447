//! Which stored account each row means, and what stands in its way. The order of the rows says nothing:
//! a file may give a name to one account that another of its rows takes away from another.

use std::collections::HashMap;

use uuid::Uuid;

use super::file::RowError;
use crate::account::{AccountId, Email, UserName};
use crate::store::Existing;

/// What a row lays claim to, as far as it could be read.
#[derive(Debug)]
pub(super) struct RowClaim {
    /// The row, counted from 1.
    pub(super) row: usize,
    pub(super) id: Option<AccountId>,
    pub(super) username: Option<UserName>,
    pub(super) email: Option<Email>,
}

impl RowClaim {
    fn name(&self) -> Option<&str> {
        self.username.as_ref().map(UserName::key)
    }

    fn address(&self) -> Option<&str> {
        self.email.as_ref().map(Email::key)
    }

    fn fault(&self, field: &'static str, reason: &str) -> RowError {
        RowError { row: self.row, field: field.into(), reason: reason.to_owned() }
    }
}

/// For each row the stored account that it means, if there is one; and what cannot be.
pub(super) fn resolve<'a>(
    claims: &[RowClaim],
    stored: &'a [Existing],
) -> (Vec<Option<&'a Existing>>, Vec<RowError>) {
    let by_id: HashMap<Uuid, _> = stored.iter().map(|it| (it.id().into(), it)).collect();
    let by_name: HashMap<&str, _> =
        stored.iter().filter_map(|it| Some((it.username_key()?, it))).collect();
    let by_address: HashMap<&str, _> =
        stored.iter().filter_map(|it| Some((it.email_key()?, it))).collect();
    let mut faults = Vec::new();

    // Those that say which account they mean come first: the name of such a one can be another's now.
    let mut accounts: Vec<Option<&Existing>> = vec![None; claims.len()];
    let mut rows: HashMap<AccountId, &RowClaim> = HashMap::new();
    for (claim, account) in claims.iter().zip(&mut accounts) {
        let Some(id) = claim.id else { continue };
        *account = by_id.get(&id.into()).copied();
        if account.is_some() {
            rows.insert(id, claim);
        } else {
            faults.push(claim.fault("id", "belongs to no account"));
        }
    }
    for (claim, account) in claims.iter().zip(&mut accounts) {
        if claim.id.is_some() {
            continue;
        }
        let named = claim.name().and_then(|name| by_name.get(name).copied());
        *account = named.filter(|it| !rows.contains_key(&it.id()));
        if let Some(account) = account {
            rows.insert(account.id(), claim);
        }
    }

    for (claim, account) in claims.iter().zip(&accounts) {
        let id = account.map(Existing::id);
        // Who has it keeps it, unless a row gives that account another one.
        let kept = |holder: &Existing, same: fn(&RowClaim, &RowClaim) -> bool| {
            Some(holder.id()) != id
                && rows.get(&holder.id()).is_none_or(|holding| same(holding, claim))
        };
        let holder = claim.name().and_then(|name| by_name.get(name));
        if holder.is_some_and(|it| kept(it, |holding, claim| holding.name() == claim.name())) {
            faults.push(claim.fault("username", "belongs to another account"));
        }
        let holder = claim.address().and_then(|address| by_address.get(address));
        if holder.is_some_and(|it| kept(it, |holding, claim| holding.address() == claim.address()))
        {
            faults.push(claim.fault("email", "belongs to another account"));
        }
    }
    (accounts, faults)
}
