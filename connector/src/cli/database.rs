//! The database of a command.

use crate::app;
use crate::config::StoreArgs;
use crate::store::Store;

/// The accounts database, for a command: one that is away ends it at once, and it says why.
pub(super) async fn connected(args: &StoreArgs) -> anyhow::Result<Store> {
    let store = app::open_store(args)?;
    store.reach().await?;
    Ok(store)
}
