//! Sends mail to the owners of accounts.
//!
//! A mail is sent at least once: whoever dies between the server's word and its own note of it has it sent
//! again, by the same Message-ID. None is forgotten: it is sent, or it has a line of the trail that says
//! that it is dead.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use service_process::error_chain::ErrorChain;
use service_process::sources::Sources;
use thiserror::Error;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use uuid::Uuid;

use crate::account::AccountId;
use crate::audit::{Entry, Event, Origin};
use crate::due::WorkKind;
use crate::flow::{CodeKey, CodeNumber};
use crate::mail::{
    InvalidSmtp, Language, Letter, Occasion, SendError, Sender, Smtp, code_letter,
    invitation_letter, letter, undo_letter,
};
use crate::metrics::MAILS;
use crate::store::{CodeMail, DeadMail, DueWork, InvitationMail, Store, StoreError};

/// How often it is looked whether something is due. Whoever waits for a mail looks into the inbox every few
/// seconds.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// How long a mail is one worker's: the 30 s that sending takes at most, and as much again for the database.
const CLAIM: TimeDelta = TimeDelta::minutes(1);

/// How long a mail under way is still waited for when the process stops, which has 10 s for all that it does.
const LAST_SEND: Duration = Duration::from_secs(5);

/// The wait after the first failure; each is twice as long as the one before.
const FIRST_WAIT: i64 = 5;

/// The longest wait between two tries, in seconds. A mail server that is back has all mail within this time.
const LONGEST_WAIT: i64 = 600;

/// The tries after which a mail is dead that the server refuses for good. It should not hear of such a mail
/// again (RFC 5321 §4.2.1), and counts against us that it does; but one that is set up wrongly says so of all
/// mail, and with the longest wait between them whoever runs it has half an hour to notice.
const TRIES_FOR_GOOD: u32 = 4;

/// What mail is sent with.
#[derive(Debug)]
pub struct Post {
    /// The mail server. Without one nothing is sent, and what is dead is buried all the same.
    pub smtp: Option<Smtp>,
    /// The language of mail to the owners of accounts.
    pub language: Language,
    /// What codes are made with. Without it no code is sent.
    pub codes: Option<CodeKey>,
    /// Where the accounts pages are, if that is known.
    pub pages: Option<String>,
}

/// A mail as it is to be sent.
struct Draft {
    letter: Letter,
    to: String,
    /// The code in it.
    code: Option<CodeNumber>,
}

/// Why a mail was not sent.
#[derive(Debug, Error)]
enum Fault {
    #[error("nobody waits for it any more")]
    Nowhere,
    #[error(transparent)]
    Files(#[from] InvalidSmtp),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Fault {
    /// Whether it is the end of a mail that failed so often before.
    fn is_final(&self, failures: u32) -> bool {
        match self {
            Self::Nowhere | Self::Send(SendError::Address(_)) => true,
            fault => fault.is_for_good() && failures + 1 >= TRIES_FOR_GOOD,
        }
    }

    /// Whether the server would say the same of the mail at once.
    fn is_for_good(&self) -> bool {
        matches!(self, Self::Send(error) if error.is_for_good() && !error.is_of_the_server())
    }

    /// Whether the next mail would fail of it, too.
    fn is_of_all(&self) -> bool {
        match self {
            Self::Nowhere => false,
            Self::Files(_) => true,
            Self::Send(error) => error.is_of_the_server(),
        }
    }
}

/// Buries what is dead, and sends what is due, four mails at once.
pub(super) async fn work(
    store: &Store,
    post: &Post,
    sources: Sources,
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    bury(store, sources, stopping).await?;
    let Some(smtp) = &post.smtp else { return Ok(()) };
    // Four at once: a server that takes its time over one recipient, whoever chose that, holds up a quarter of it. None is
    // cut off by the failure of another, or what it has in hand would be sent twice.
    let lane = || Box::pin(send_due(store, post, (smtp, sources), stopping));
    let (first, second, third, fourth) = tokio::join!(lane(), lane(), lane(), lane());
    first.and(second).and(third).and(fourth)
}

/// Sends what is due, one mail after another. When the server itself fails, the rest waits for the next time: it is
/// asked once a second, however much mail there is.
async fn send_due(
    store: &Store,
    post: &Post,
    (smtp, sources): (&Smtp, Sources),
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    let kinds: &[WorkKind] =
        if post.codes.is_some() { &WorkKind::MAIL } else { &WorkKind::NOTICES };
    let mut sender = None;
    while !stopping.is_cancelled() {
        let now = (sources.now)();
        let Some(due) = store.claim(kinds, now, now + CLAIM).await? else { break };
        let draft = draft(store, post, smtp.service(), (&due, now)).await?;
        let code = draft.as_ref().and_then(|draft| draft.code);
        let sending = send(smtp, &mut sender, draft, (due.id, now));
        let Some(sent) = unless_leaving(stopping, sending).await else { break };
        if !settle(store, sources, (&due, code), sent).await? {
            break;
        }
    }
    Ok(())
}

/// The mail to send; `None` if nobody waits for it any more.
async fn draft(
    store: &Store,
    post: &Post,
    service: &str,
    (due, now): (&DueWork, DateTime<Utc>),
) -> Result<Option<Draft>, StoreError> {
    match (due.kind, &post.codes) {
        (WorkKind::Mail(kind), _) => {
            let to = store.mail_address(due.id).await?;
            let occasion = Occasion { kind, at: due.created_at, service };
            let letter = letter(post.language, occasion);
            Ok(to.map(|to| Draft { letter, to, code: None }))
        }
        (WorkKind::Code, Some(key)) => {
            let mail = store.code_mail(due.id, now).await?;
            Ok(mail.map(|CodeMail { code, purpose, email, standing, language }| {
                let language = Language::of_tag(&language).unwrap_or(post.language);
                let matter = (purpose, standing);
                let letter = code_letter(language, service, matter, &key.code(code));
                Draft { letter, to: email, code: Some(code) }
            }))
        }
        (WorkKind::Invitation, Some(key)) => {
            let mail = store.invitation_mail(due.id, now).await?;
            Ok(mail.map(|InvitationMail { email, language }| {
                let language = Language::of_tag(&language).unwrap_or(post.language);
                let code = key.invitation(due.id);
                let letter = invitation_letter(language, service, post.pages.as_deref(), &code);
                Draft { letter, to: email, code: None }
            }))
        }
        (WorkKind::Undo, Some(key)) => {
            let to = store.undo_address(due.id, now).await?;
            let code = key.undo(due.id);
            let place = (post.pages.as_deref(), due.created_at);
            let letter = undo_letter(post.language, service, place, &code);
            Ok(to.map(|to| Draft { letter, to, code: None }))
        }
        // Not what was claimed.
        (WorkKind::Code | WorkKind::Invitation | WorkKind::Undo, None)
        | (WorkKind::Revocation, _) => Ok(None),
    }
}

/// Waits for a mail to be sent, but no longer than a moment when the process stops. One that is cut off is
/// somebody's again when the claim ends.
async fn unless_leaving<T>(
    stopping: &CancellationToken,
    sending: impl Future<Output = T>,
) -> Option<T> {
    let leaving = async {
        stopping.cancelled().await;
        sleep(LAST_SEND).await;
    };
    tokio::select! {
        sent = sending => Some(sent),
        () = leaving => None,
    }
}

/// Sends one mail. The files that this takes are read once for all mail of a turn.
async fn send(
    smtp: &Smtp,
    sender: &mut Option<Sender>,
    draft: Option<Draft>,
    (id, now): (Uuid, DateTime<Utc>),
) -> Result<(), Fault> {
    let Draft { letter, to, .. } = draft.ok_or(Fault::Nowhere)?;
    let sender = match sender {
        Some(sender) => sender,
        none => none.insert(smtp.sender()?),
    };
    Ok(sender.send(&letter, &to, id, now).await?)
}

/// Finishes what was sent, buries what nobody can send, postpones the rest; and tells whether the next may
/// be tried.
async fn settle(
    store: &Store,
    sources: Sources,
    (due, code): (&DueWork, Option<CodeNumber>),
    sent: Result<(), Fault>,
) -> Result<bool, StoreError> {
    let (id, kind, failures, now) = (due.id, due.kind, due.failures, (sources.now)());
    let line = |event| line(sources, event, due.account, now);
    match sent {
        Ok(()) => {
            count(kind, "sent");
            let line = line(sent_event(kind));
            let finished = store.settle(async |unit| {
                if let Some(code) = code {
                    unit.code_sent(code, now).await?;
                }
                unit.finish(id, &line).await
            });
            finished.await?;
            Ok(true)
        }
        Err(fault) if fault.is_final(failures) => {
            count(kind, "dead");
            let kind = kind.subject();
            warn!(kind, %id, error = %ErrorChain(&fault), "mail is dead: it cannot be sent");
            store.finish(id, &line(dead_event(due.kind))).await?;
            Ok(true)
        }
        Err(fault) => {
            count(kind, "failed");
            // The first failure of a streak; the gauge of its age tells how it goes on.
            if failures == 0 {
                let error = ErrorChain(&fault);
                warn!(kind = kind.subject(), %id, %error, "mail is not sent: it is tried again");
            }
            let wait = if fault.is_for_good() {
                TimeDelta::seconds(LONGEST_WAIT)
            } else {
                back_off(failures)
            };
            store.postpone(id, now + wait).await?;
            Ok(!fault.is_of_all())
        }
    }
}

/// Takes away mail that nobody could send while it was worth sending, and tells of it.
async fn bury(
    store: &Store,
    sources: Sources,
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    while !stopping.is_cancelled() {
        let now = (sources.now)();
        let dead = store.settle(async |unit| {
            let dead = unit.bury_mail(now).await?;
            if let Some(DeadMail { kind, account }) = dead {
                unit.record(&line(sources, dead_event(kind), account, now)).await?;
            }
            Ok(dead)
        });
        let Some(DeadMail { kind, .. }) = dead.await? else { break };
        count(kind, "dead");
        warn!(kind = kind.subject(), "mail is dead: nobody could send it for a day");
    }
    Ok(())
}

fn sent_event(kind: WorkKind) -> Event {
    match kind {
        WorkKind::Mail(kind) => Event::MailSent(kind),
        _ => Event::CodeSent,
    }
}

fn dead_event(kind: WorkKind) -> Event {
    match kind {
        WorkKind::Mail(kind) => Event::MailDead(kind),
        _ => Event::CodeDead,
    }
}

fn line(sources: Sources, event: Event, account: Option<AccountId>, at: DateTime<Utc>) -> Entry {
    let (id, origin) = (sources.id(at), Origin::default());
    Entry { id, at, event, account, guard_key: None, count: 1, origin }
}

fn count(kind: WorkKind, outcome: &'static str) {
    metrics::counter!(MAILS, "kind" => kind.subject(), "outcome" => outcome).increment(1);
}

/// How long to wait after one more failure than these: 5, 10, 20 … and then always 600 s.
fn back_off(failures: u32) -> TimeDelta {
    let doubled = FIRST_WAIT.saturating_mul(2_i64.saturating_pow(failures));
    TimeDelta::seconds(doubled.min(LONGEST_WAIT))
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
