//! `users create`.

use std::io::Read as _;

use anyhow::Context as _;
use clap::Args;

use super::change::{entry, parse_group, say};
use crate::account::{Email, UserName, parse_full_name};
use crate::audit::Event;
use crate::cli::answer::Answer;
use crate::config::StoreArgs;
use crate::password::Credential;
use crate::store::{NewAccount, Store, StoreError};
use service_process::input;
use service_process::sources::Sources;

/// The account to be created.
#[derive(Debug, Args)]
pub struct CreateArgs {
    #[command(flatten)]
    pub(super) store: StoreArgs,

    /// Its user name.
    #[arg(value_parser = UserName::parse)]
    name: UserName,

    /// Its e-mail address.
    #[arg(long, value_parser = Email::parse)]
    email: Option<Email>,

    /// The address counts as proved.
    #[arg(long, requires = "email")]
    email_verified: bool,

    /// The display name.
    #[arg(long, default_value = "", hide_default_value = true, value_parser = parse_full_name)]
    full_name: String,

    /// A group; may be repeated.
    #[arg(long = "group", value_parser = parse_group)]
    groups: Vec<String>,

    /// Take the bcrypt hash of its password from standard input.
    #[arg(long)]
    password_hash_stdin: bool,

    /// The password has to be changed before it opens anything.
    #[arg(long, requires = "password_hash_stdin")]
    must_change: bool,
}

pub(super) async fn create(store: &Store, args: CreateArgs) -> Answer {
    let credential = args.password_hash_stdin.then(read_hash).transpose()?;
    let account = NewAccount {
        id: None,
        username: Some(args.name),
        email: args.email,
        email_verified: args.email_verified,
        full_name: args.full_name,
        is_active: None,
        groups: args.groups,
    };
    let sources = Sources::system();
    let now = (sources.now)();
    let id = sources.id(now);
    let mut unit = store.begin_seed().await?;
    let password = credential.as_ref().map(|credential| (credential, args.must_change));
    unit.create(&account, password, id, now).await.map_err(of_argument)?;
    unit.record(&entry(Event::AccountCreated, id.into())).await?;
    unit.commit().await?;
    say(true, id.into(), "created")
}

/// What the argument is called whose value is taken.
fn of_argument(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Taken { field: "email" } => anyhow::Error::new(error).context("--email"),
        StoreError::Taken { .. } => anyhow::Error::new(error).context("NAME"),
        error => error.into(),
    }
}

fn read_hash() -> anyhow::Result<Credential> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Credential::parse(1, input::without_byte_order_mark(&text).trim(), None)
        .context("--password-hash-stdin")
}
