//! The account that a command names.

use super::answer::NoSuchAccount;
use crate::account::AccountId;
use crate::store::Store;

/// The account that has this user name, e-mail address or id.
pub(super) async fn find(store: &Store, name: &str) -> anyhow::Result<AccountId> {
    Ok(store.find(name).await?.ok_or(NoSuchAccount)?)
}
