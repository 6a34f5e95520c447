//! `users show`.

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::list::{email, yes_or_no};
use super::lock::LockStatus;
use super::named::NamedArgs;
use crate::cli::account::find;
use crate::cli::answer::{Answer, NoSuchAccount};
use crate::cli::trail_table;
use crate::config::LockoutArgs;
use crate::store::{AccountFilter, KnownNetwork, Line, Listed, PasswordFacts, Store, TrailQuery};
use service_process::output::{self, OutputArgs, time};
use service_process::sources::Sources;

/// How many events are shown.
const EVENTS: u32 = 10;

/// The account to be shown, and the rules its lockout follows.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    pub(super) named: NamedArgs,

    #[command(flatten)]
    lockout: LockoutArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// An account as machines get it.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    account: Listed,
    password: Option<PasswordFacts>,
    lockout: LockStatus,
    known_networks: Vec<KnownNetworkRow>,
    pending_revocations: i64,
    /// The newest last.
    events: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct KnownNetworkRow {
    network: String,
    last_success_at: DateTime<Utc>,
    lockout: LockStatus,
}

pub(super) async fn show(store: &Store, args: &ShowArgs) -> Answer {
    let lockout = args.lockout.lockout()?;
    let id = find(store, &args.named.name).await?;
    let filter = AccountFilter { id: Some(id), limit: 1, ..AccountFilter::default() };
    let account = store.list(&filter).await?.pop().ok_or(NoSuchAccount)?;
    let now = (Sources::system().now)();
    let known_network = |known: KnownNetwork| KnownNetworkRow {
        network: known.network,
        last_success_at: known.last_success_at,
        lockout: LockStatus::of_known(&lockout, &known.history, now),
    };
    let wanted = TrailQuery { account: Some(id), limit: EVENTS, ..TrailQuery::default() };
    let shown = Shown {
        password: store.password_facts(id).await?,
        lockout: LockStatus::of_strangers(&lockout, &account.history, now),
        known_networks: store
            .known_networks(id, now)
            .await?
            .into_iter()
            .map(known_network)
            .collect(),
        pending_revocations: store.pending_revocations(id).await?,
        events: store.trail(&wanted).await?,
        account,
    };
    if args.output.json {
        return output::json(&shown);
    }
    output::facts(&facts(&shown))?;
    output::line("\nlast events")?;
    trail_table::table(&shown.events)?;
    Ok(())
}

fn facts(shown: &Shown) -> Vec<(&'static str, String)> {
    let account = &shown.account;
    let mut facts = vec![
        ("id", account.id.to_string()),
        ("user name", account.username.clone().unwrap_or_default()),
        ("full name", account.full_name.clone()),
        ("e-mail", email(account)),
        ("active", yes_or_no(account.is_active)),
        ("groups", account.groups.join(", ")),
        ("auth epoch", account.auth_epoch.to_string()),
        ("password", shown.password.as_ref().map(password).unwrap_or_default()),
        ("strangers", shown.lockout.to_string()),
        ("sessions to end", shown.pending_revocations.to_string()),
    ];
    facts.extend(shown.known_networks.iter().map(|known| {
        let (network, at, lockout) = (&known.network, time(known.last_success_at), known.lockout);
        ("known from", format!("{network}, last {at}, {lockout}"))
    }));
    facts
}

fn password(facts: &PasswordFacts) -> String {
    let PasswordFacts { scheme, cost, pepper_id, must_change, set_at } = facts;
    let cost = cost.as_deref().unwrap_or("?");
    let pepper = pepper_id.as_ref().map(|id| format!(", pepper {id}")).unwrap_or_default();
    let change = if *must_change { ", must be changed" } else { "" };
    format!("scheme {scheme}, cost {cost}{pepper}{change}, set {}", time(*set_at))
}
