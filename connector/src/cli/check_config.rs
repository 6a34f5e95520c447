//! `check-config`: what `serve` would use, without anything secret.

use std::time::Duration;

use chrono::DateTime;
use dex_session::SignIn;
use service_process::output;

use super::answer::Answer;
use crate::accounts::SignUp;
use crate::app;
use crate::config::{Role, ServeArgs};
use crate::core::CoreSettings;
use crate::grpc::tls::Tls;
use crate::lockout::{KNOWN_NETWORKS, Lockout};
use crate::mail::{Encryption, Smtp};

type Fact = (&'static str, String);

pub(super) fn run(args: &ServeArgs) -> Answer {
    let checked = app::check(args)?;
    let store = app::open_store(&args.store)?;
    let roles: Vec<_> = args.roles.roles.iter().map(ToString::to_string).collect();
    let mut facts = vec![("roles", roles.join(", ")), ("database", store.place())];
    if args.roles.has(Role::Login) {
        facts.push(("connector", connector(args, checked.tls.as_ref())));
    }
    facts.extend(checked.core.iter().flat_map(|core| of_core(args, core)));
    if args.roles.has(Role::Accounts) {
        let url = args.accounts.accounts_public_url.as_ref();
        let pages = url.map_or("none: ACCOUNTS_PUBLIC_URL is not set", |url| url.as_str());
        facts.push(("accounts pages", format!("{pages}, at {}", args.accounts_listen)));
        let sign_up = match args.accounts.accounts_sign_up {
            SignUp::Open => "whoever proves an address",
            SignUp::Invite => "whoever is invited",
            SignUp::Closed => "nobody",
        };
        facts.push(("who may sign up", sign_up.to_owned()));
        facts.push(("logins at Dex", logins(args)));
        let searchers = &args.accounts.accounts_search_groups;
        let searchers =
            if searchers.is_empty() { "nobody".to_owned() } else { searchers.join(", ") };
        facts.push(("who may search", searchers));
        let sign_in = checked.pages.as_ref().and_then(|pages| pages.sign_in.as_ref());
        facts.push(("who signs in", sign_in.map_or_else(nobody, seats)));
    }
    if let (Some(dex), Some(address)) = (&checked.dex, &args.dex_api.dex_api_address) {
        facts.push(("Dex's admin API", format!("{address}, connector {}", dex.connector_id())));
    }
    if args.roles.has(Role::Worker) {
        facts.push(("mail", checked.smtp.as_ref().map_or_else(unsent, mail)));
        let codes = if checked.codes.is_some() { "are sent" } else { "are not sent" };
        facts.push(("codes", codes.to_owned()));
    }
    facts.push(("admin port", args.admin_listen.to_string()));
    output::facts(&facts)?;
    output::line("the configuration is usable")?;
    Ok(())
}

fn connector(args: &ServeArgs, tls: Option<&Tls>) -> String {
    let address = args.connector_grpc_listen;
    match tls.and_then(|tls| DateTime::from_timestamp(tls.expires(), 0)) {
        Some(end) => format!(
            "{address} for callers named {}; certificate until {}",
            args.tls_client_names.join(", "),
            output::time(end)
        ),
        None => format!("{address} without TLS: whoever reaches it may guess"),
    }
}

/// Which logins the pages lead back to.
fn logins(args: &ServeArgs) -> String {
    match &args.dex_login.dex_issuer_url {
        Some(issuer) => format!("{issuer}, connector {}", args.dex_api.dex_connector_id),
        None => "none: DEX_ISSUER_URL is not set".to_owned(),
    }
}

fn nobody() -> String {
    "nobody: ACCOUNTS_CLIENT_SECRET_FILE is not set".to_owned()
}

fn seats(sign_in: &SignIn) -> String {
    let (issuer, key) = (sign_in.issuer(), sign_in.sealer().current_id());
    format!("people of {issuer}; their cookies are sealed by the key {key}")
}

fn unsent() -> String {
    "is not sent: SMTP_ADDRESS names no server".to_owned()
}

fn mail(smtp: &Smtp) -> String {
    let encryption = match smtp.encryption() {
        Encryption::Starttls => "STARTTLS",
        Encryption::Implicit => "TLS",
        Encryption::None => "no encryption",
    };
    let login = if smtp.logs_in() { " and a password" } else { "" };
    format!("from {} by {} with {encryption}{login}", smtp.service(), smtp.place())
}

fn of_core(args: &ServeArgs, core: &CoreSettings) -> [Fact; 7] {
    let limits = &args.limits;
    let (cost, pepper) = (u32::from(core.cost), core.peppers.current_id());
    [
        ("new hashes", format!("bcrypt of cost {cost}, pepper {pepper}")),
        ("strangers", strangers(&core.lockout)),
        ("known networks", known_networks(&core.lockout)),
        (
            "limits a minute",
            format!(
                "{} of a network ({} at once), {} of a coarse one, {} on a name",
                limits.limit_network_per_minute,
                limits.limit_network_burst,
                limits.limit_coarse_network_per_minute,
                limits.limit_name_per_minute
            ),
        ),
        (
            "limits an hour",
            format!("{} names that fail from a network", limits.limit_sprayed_names),
        ),
        ("trusted proxies", limits.trusted_proxy_cidrs.to_string()),
        (
            "e-mail addresses",
            if args.lockout.require_verified_email { "must be proved" } else { "need no proof" }
                .to_owned(),
        ),
    ]
}

/// The ladder in words.
fn strangers(lockout: &Lockout) -> String {
    let Lockout { first_at, step, closed_at, .. } = lockout;
    let (first, longest) = (length(lockout.first_pause), length(lockout.longest_pause));
    if first_at == closed_at {
        return format!("{closed_at} failures close an account until it is unlocked");
    }
    format!(
        "{first_at} failures close an account for {first}, each {step} more for twice as long, at \
         most {longest}; {closed_at} until it is unlocked"
    )
}

fn known_networks(lockout: &Lockout) -> String {
    let failures = lockout.known_network;
    format!("{failures} failures of their own each, {KNOWN_NETWORKS} networks an account at most")
}

fn length(length: Duration) -> String {
    match length.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
#[path = "check_config_tests.rs"]
mod tests;
