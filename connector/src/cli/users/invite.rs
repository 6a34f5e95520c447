//! `users invite`.

use clap::Args;
use service_process::output;
use service_process::sources::Sources;

use crate::account::Email;
use crate::audit::{Entry, Event, Origin};
use crate::cli::answer::Answer;
use crate::config::{CodeKeyArgs, InvalidKeyFile, StoreArgs};
use crate::mail::Language;
use crate::store::{Invitation, Store};

/// Whom to invite.
#[derive(Debug, Args)]
pub struct InviteArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    #[command(flatten)]
    code_key: CodeKeyArgs,

    /// The address: where the invitation goes, and whose account it will be.
    #[arg(value_parser = Email::parse)]
    email: Email,

    /// The language of the invitation.
    #[arg(long, value_enum, default_value = "en")]
    language: Language,
}

pub(super) async fn invite(store: &Store, args: &InviteArgs) -> Answer {
    let key = args.code_key.code_key()?.ok_or(InvalidKeyFile::Missing("CODE_KEY_FILE"))?;
    let sources = Sources::system();
    let now = (sources.now)();
    let id = sources.id(now);
    let (email, code) = (&args.email, &key.invitation(id));
    let entry = Entry {
        id: sources.id(now),
        at: now,
        event: Event::AccountInvited,
        account: None,
        guard_key: None,
        count: 1,
        origin: Origin::default(),
    };
    let mut unit = store.begin().await?;
    let invitation = Invitation { id, email, code, language: args.language.tag() };
    let invited = unit.invite(&invitation, now).await?;
    if invited {
        unit.record(&entry).await?;
        unit.commit().await?;
    }
    let said = if invited { "is invited" } else { "has an account already" };
    output::line(&format!("{} {said}", email.as_str()))?;
    Ok(())
}
