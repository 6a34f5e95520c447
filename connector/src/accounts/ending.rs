//! What all ends of flows have in common.

use super::refusal::Refusal;
use crate::account::AccountId;
use crate::audit::Entry;
use crate::flow::FlowToken;
use crate::metrics::ACCOUNT_FLOWS;
use crate::store::{StoreError, UnitOfWork};

/// Counts what became of a flow.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!(ACCOUNT_FLOWS, "outcome" => outcome).increment(1);
}

/// Counts a flow that came to its end; `false`: somebody else used it up, or it is over.
pub(super) fn ended(done: bool) -> Result<(), Refusal> {
    if done {
        count("ended");
        Ok(())
    } else {
        Err(Refusal::Over)
    }
}

/// Uses a proved flow up for the account with its address, which nobody else changes from here on; this line is for
/// an address that was not proved before. `false`: the flow was used up, or the address is not the account's any more,
/// or sessions of the account were ended since it was proved.
pub(super) async fn take(
    unit: &mut UnitOfWork,
    token: &FlowToken,
    (account, email): (AccountId, &str),
    verified: &Entry,
) -> Result<bool, StoreError> {
    let now = verified.at;
    let Some(proved_at) = unit.take_proved_flow(token, now).await? else { return Ok(false) };
    let Some(address) = unit.prove_address(account, (email, proved_at), now).await? else {
        return Ok(false);
    };
    if address.is_new {
        unit.record(verified).await?;
    }
    Ok(true)
}
