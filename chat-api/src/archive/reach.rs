//! Where the archive's server is, and why it cannot be reached.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;

use mongodb::bson::doc;
use mongodb::error::{Error, ErrorKind};
use mongodb::event::EventHandler;
use mongodb::event::sdam::SdamEvent;
use mongodb::options::{ClientOptions, ConnectionString};
use mongodb::{Client, Database};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::address;
use tokio::sync::watch;

use super::error::ArchiveError;
use super::mongo::READ_TIMEOUT;

/// Checks a connection string as far as that is possible without a network.
pub fn check_address(uri: &SecretString) -> Result<(), ArchiveError> {
    let uri = uri.expose_secret();
    if address::password_is_cut(uri) {
        return Err(ArchiveError::Address(cut()));
    }
    let known = ConnectionString::parse(uri);
    known.map(|_| ()).map_err(|_| ArchiveError::Address(at_fault(uri)))
}

/// Asks the server once whether it is there. An error says which was asked and what stood in the
/// way; when none can be reached, that is known at once and not at the end of the time that the
/// driver would go on looking.
pub async fn reach(uri: &SecretString) -> Result<(), ArchiveError> {
    let mut options = options(uri).await?;
    let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
    let (failed, mut failures) = watch::channel(BTreeMap::new());
    let note = move |event| {
        if let SdamEvent::ServerHeartbeatFailed(event) = event {
            failed.send_modify(|failures| {
                failures.insert(event.server_address.to_string(), why(&event.failure));
            });
        }
    };
    options.sdam_event_handler = Some(EventHandler::callback(note));
    let client = Client::with_options(options)?;
    let asked = async { client.database("admin").run_command(doc! { "ping": 1 }).await };
    let none_left = failures.wait_for(|failures| hosts.iter().all(|it| failures.contains_key(it)));
    tokio::select! {
        answer = asked => {
            let unreachable = |error| ArchiveError::Unreachable {
                place: hosts.join(","),
                reason: why(&error),
            };
            answer.map(drop).map_err(unreachable)
        }
        Ok(failures) = none_left => {
            let (places, reasons): (Vec<_>, Vec<_>) =
                failures.iter().map(|(place, reason)| (place.clone(), reason.clone())).unzip();
            Err(ArchiveError::Unreachable {
                place: places.join(","),
                reason: reasons.join("; "),
            })
        }
    }
}

/// A client of its own for a database, and how many connections it makes at most: as many as are
/// `wanted`, else as the connection string says, else `usual` ones.
pub(super) async fn connect(
    uri: &SecretString,
    database: &str,
    wanted: Option<NonZeroU32>,
    usual: u32,
) -> Result<(Database, usize), ArchiveError> {
    let mut options = options(uri).await?;
    let said = wanted.map(NonZeroU32::get).or(options.max_pool_size);
    let connections = *options.max_pool_size.insert(said.unwrap_or(usual));
    let connections = usize::try_from(connections).unwrap_or(usize::MAX);
    Ok((Client::with_options(options)?.database(database), connections))
}

/// What a connection string says, and what its name in the DNS says besides.
async fn options(uri: &SecretString) -> Result<ClientOptions, ArchiveError> {
    check_address(uri)?;
    let parsed = ClientOptions::parse(uri.expose_secret()).await;
    let mut options = parsed.map_err(|error| match *error.kind {
        ErrorKind::DnsResolve { .. } => {
            ArchiveError::Unreachable { place: "mongodb+srv".to_owned(), reason: why(&error) }
        }
        _ => ArchiveError::Address(at_fault(uri.expose_secret())),
    })?;
    options.app_name.get_or_insert_with(|| "chat-api".to_owned());
    options.server_selection_timeout = Some(READ_TIMEOUT);
    options.connect_timeout = Some(READ_TIMEOUT);
    Ok(options)
}

/// What stood in the way, in a few words.
fn why(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            "connection refused".to_owned()
        }
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Authentication { .. } => format!("authentication failed ({})", address::HINT),
        ErrorKind::DnsResolve { message, .. } => format!("the name is not found: {message}"),
        ErrorKind::InvalidTlsConfig { message, .. } => format!("TLS: {message}"),
        kind => kind.to_string(),
    }
}

fn cut() -> String {
    format!("the password is cut off: {}", address::HINT)
}

/// The part of a connection string that the driver does not take. The driver's own complaint may quote
/// it, and with it the password.
fn at_fault(uri: &str) -> String {
    let parses = |uri: &str| ConnectionString::parse(uri).is_ok();
    let Some((scheme @ ("mongodb" | "mongodb+srv"), rest)) = uri.split_once("://") else {
        return "expected a mongodb:// or mongodb+srv:// connection string".to_owned();
    };
    let (before, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (user, hosts) = before.rsplit_once('@').map_or((None, before), |(u, h)| (Some(u), h));
    if user.is_some_and(|user| !parses(&format!("mongodb://{user}@host"))) {
        return format!("the user name or the password cannot be read: {}", address::HINT);
    }
    let (hosts, database) = hosts.split_once('/').unwrap_or((hosts, ""));
    if !parses(&format!("{scheme}://{hosts}")) {
        return format!("the hosts are not HOST:PORT, separated by commas ({})", address::HINT);
    }
    if !parses(&format!("mongodb://host/{database}")) {
        return "the database after the hosts is no name of one".to_owned();
    }
    let names = options.split('&').filter(|option| !parses(&format!("mongodb://host/?{option}")));
    let mut names = names.map(|option| option.split('=').next().unwrap_or_default());
    // A name is letters; anything else may be a part of a password.
    match names.find(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        Some(name) if !name.is_empty() => format!("the option {name} cannot have this value"),
        _ => "the options after the question mark do not go together".to_owned(),
    }
}
