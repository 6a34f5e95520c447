//! Notices of an account that was closed, or whose owner has to act: a line of the trail, a metric,
//! and a mail.

use chrono::{DateTime, Utc};

use crate::account::AccountId;
use crate::audit::{Event, Origin, Subject};
use crate::core::Core;
use crate::due::MailKind;
use crate::guard::retry_until_done;
use crate::metrics::ACCOUNT_LOCKS;

/// The account, or the name, is closed to strangers from now on.
pub(super) async fn account_locked(core: &Core, subject: Subject, now: DateTime<Utc>) {
    metrics::counter!(ACCOUNT_LOCKS).increment(1);
    core.trail.record(Event::AccountLocked, subject, Origin::default(), now);
    post(core, MailKind::AccountLocked, subject.account, now).await;
}

/// Has a mail sent to the owner. For names that belong to nobody it is the same statement, and
/// writes nothing.
pub(super) async fn post(
    core: &Core,
    kind: MailKind,
    account: Option<AccountId>,
    now: DateTime<Utc>,
) {
    let id = core.sources.id(now);
    let write = || core.store.post_once(kind, account, id, now);
    retry_until_done(&core.tasks, "a mail is not written", write).await;
}
