//! People who speak in a running stack, and what there is to judge them by.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use devstack::endpoints::Endpoints;
use devstack::stack::User;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use uuid::Uuid;

use super::room::{LoggedRoom, message_id};
use crate::archive::Archive;
use crate::chat::place::Place;
use crate::chat::{Chat, LOBBY};
use crate::log::Topic;
use crate::oidc::App;
use crate::wallet::Wallet;

/// Who signs in at once: more would only wait for the connector's hashes.
const SIGN_INS: usize = 4;

/// A running stack with people, wherever it runs.
pub struct Scene {
    /// Where everything is.
    pub endpoints: Endpoints,
    /// The people, signed in.
    pub people: Vec<Arc<Wallet>>,
    /// The archive.
    pub archive: Archive,
    /// The log.
    pub messages: Topic,
    /// Where records go that nobody could read or store.
    pub dead_letters: Topic,
    /// The room everybody is in.
    pub lobby: LoggedRoom,
    /// The seed of all randomness of the run.
    pub seed: u64,
    /// Sends requests over REST.
    pub http: reqwest::Client,
}

impl Scene {
    /// Signs `people` people in, who have an account there already.
    pub async fn open(endpoints: Endpoints, people: usize, seed: u64) -> Result<Self> {
        let app = App::spa(&endpoints).await?;
        let sign_in = |number: usize| {
            let (app, user) = (&app, person(number));
            async move {
                let wallet = Wallet::open(app, &user.username, &user.password, home(number)?);
                wallet.await.map(Arc::new)
            }
        };
        let people: Vec<Arc<Wallet>> =
            stream::iter((0..people).map(sign_in)).buffered(SIGN_INS).try_collect().await?;
        let speaker = people.first().context("a scene has people")?;
        let first = Chat::new(&endpoints.chat_api, &speaker.token().await)?.post("first").await?;
        let place = Place::of(&first.cursor.context("the first message has no cursor")?)?;
        let messages = Topic::messages(&endpoints);
        Ok(Self {
            archive: Archive::open(&endpoints).await?,
            lobby: LoggedRoom::new(LOBBY, place.partition, &messages),
            messages,
            dead_letters: Topic::dead_letters(&endpoints),
            seed,
            http: reqwest::Client::builder().no_proxy().build().context("no HTTP client")?,
            people,
            endpoints,
        })
    }

    /// How many records are in the dead letter queue, and the messages among them.
    pub async fn dead(&self) -> Result<(usize, HashSet<Uuid>)> {
        let (mut count, mut ids) = (0, HashSet::new());
        for partition in 0..self.dead_letters.partitions().await? {
            let records = self.dead_letters.read(partition, 0).await?;
            count += records.len();
            ids.extend(records.iter().filter_map(message_id));
        }
        Ok((count, ids))
    }
}

/// One of the people by number, to be given an account before.
#[must_use]
pub fn person(number: usize) -> User {
    let username = format!("speaker{number:03}");
    let password = format!("{username} never stops");
    User::new(&username, &format!("Speaker {number}"), &["staff"], &password)
}

/// A network of the person's own: signing in is limited per network.
pub fn home(number: usize) -> Result<Ipv4Addr> {
    Ok(Ipv4Addr::new(10, 77, u8::try_from(number).context("too many people")?, 1))
}
