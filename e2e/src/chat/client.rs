//! The reference client: keeps a cursor per room, comes back after any close that allows it, drops what it knows,
//! and writes down what it heard, so that it can be compared with the log.
//!
//! It has at most one send without an answer, under a key, and repeats it under the same key until it is acknowledged.

mod command;
mod connection;
mod life;
mod reconnect;
mod record;
mod rest;
mod saying;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use command::Cut;
pub use record::ClientRecord;
pub use saying::{Acked, Refused};
pub use settings::Settings;

use super::transcript::Transcript;
use command::ClientCommand;
use life::Life;
use record::lock;
use saying::Saying;

/// How many commands wait while the client is on its way.
const COMMANDS: usize = 16;

/// Speaks to a client that runs. The client ends when nobody holds one any more.
#[derive(Clone)]
pub struct Client {
    about: Arc<Settings>,
    sayings: mpsc::Sender<Saying>,
    commands: mpsc::Sender<ClientCommand>,
    record: Arc<Mutex<ClientRecord>>,
}

impl Client {
    /// A client, and the life that somebody must run.
    pub fn new(settings: Settings) -> (Self, impl Future<Output = ()> + Send) {
        let (sayings, heard) = mpsc::channel(1);
        let (commands, given) = mpsc::channel(COMMANDS);
        let transcript = settings.from.map(Transcript::from).unwrap_or_default();
        let record = Arc::new(Mutex::new(ClientRecord { transcript, ..ClientRecord::default() }));
        let about = Arc::new(settings);
        let life = Life::new(about.clone(), heard, given, record.clone());
        (Self { about, sayings, commands, record }, reconnect::run(life))
    }

    /// The name of [`Settings::name`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// Says something and waits until it is acknowledged, however long and over how many sockets that takes.
    pub async fn say(&self, content: String) -> Result<Acked, Refused> {
        self.say_under(Uuid::from_u128(rand::random()).to_string(), content).await
    }

    /// The same under a key of one's own.
    pub async fn say_under(&self, key: String, content: String) -> Result<Acked, Refused> {
        let gone = || Refused("the client has ended".into());
        let (answer, answered) = oneshot::channel();
        self.sayings.send(Saying { content, key, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Has its connection cut. Without one nothing happens.
    pub async fn cut(&self, cut: Cut) {
        // It may have ended for good, which its record tells.
        let _ = self.commands.send(ClientCommand::Cut(cut)).await;
    }

    /// Has it read nothing for a while, as a client does whose device sleeps.
    pub async fn stall(&self, time: Duration) {
        let _ = self.commands.send(ClientCommand::Stall(time)).await;
    }

    /// Has it subscribe from where it was, as an app does that learns of a membership. Without a connection nothing
    /// happens: the next one begins so.
    pub async fn subscribe(&self) {
        let _ = self.commands.send(ClientCommand::Subscribe).await;
    }

    /// What it heard and what befell it.
    pub fn record(&self) -> MutexGuard<'_, ClientRecord> {
        lock(&self.record)
    }
}
