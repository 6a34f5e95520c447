//! What changes an account, and how that is answered.

use service_process::output;
use service_process::sources::Sources;

use crate::account::{AccountId, check_groups};
use crate::audit::{Entry, Event};
use crate::cli::answer::Answer;

/// The line of the trail that is written with a change.
pub(super) fn entry(event: Event, account: AccountId) -> Entry {
    let sources = Sources::system();
    let now = (sources.now)();
    Entry::of_account(sources.id(now), now, event, account)
}

/// Says what was done, or that nothing was to be done.
pub(super) fn say(changed: bool, account: AccountId, done: &str) -> Answer {
    let said = if changed { format!("is {done}") } else { format!("was {done} already") };
    output::line(&format!("{account} {said}"))?;
    Ok(())
}

/// A group that an account can be in.
pub(super) fn parse_group(text: &str) -> Result<String, String> {
    let name = text.to_owned();
    check_groups(std::slice::from_ref(&name))?;
    Ok(name)
}
