//! The reference client: keeps a cursor per room, comes back after any close that allows it, drops what it knows,
//! and writes down what it heard, so that it can be compared with the log.
//!
//! It has at most one send without an answer, under a key, and repeats it under the same key until it is acknowledged.

mod connection;
mod life;
mod record;
mod rest;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use record::ClientRecord;

use super::place::Place;
use super::transcript::Transcript;
use crate::wallet::Wallet;

/// How many commands wait while the client is on its way.
const COMMANDS: usize = 16;

/// Who a client is and where it goes.
#[derive(Debug)]
pub struct Settings {
    /// What it is called in what is told of it.
    pub name: String,
    /// The replicas it may go to.
    pub replicas: Vec<String>,
    /// Where it goes first: an index of `replicas`.
    pub home: usize,
    /// The tokens of the person whose client it is.
    pub wallet: Arc<Wallet>,
    /// The room it hears.
    pub room: String,
    /// The cursor it begins with; without one it hears what is said from now on.
    pub from: Option<Place>,
    /// Its randomness: back-off and what it leaves to chance.
    pub seed: u64,
    /// The size of the socket's receive buffer, when it should be small.
    pub receive_buffer: Option<u32>,
    /// Sends what is said by REST.
    pub http: reqwest::Client,
}

/// A message that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acked {
    /// Its id.
    pub id: Uuid,
    /// Its place, when the server knew it.
    pub place: Option<Place>,
}

/// A refusal for good: the `code` of the `nack`, or why there is no client any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

/// How a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The socket is dropped in the middle of whatever it does.
    Abruptly,
    /// With a close frame.
    Politely,
}

enum ClientCommand {
    Cut(Cut),
    /// Reads nothing for a while.
    Stall(Duration),
}

struct Saying {
    content: String,
    key: String,
    answer: oneshot::Sender<Result<Acked, Refused>>,
}

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
        let life = life::Life::new(about.clone(), heard, given, record.clone()).run();
        (Self { about, sayings, commands, record }, life)
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

    /// What it heard and what befell it.
    pub fn record(&self) -> MutexGuard<'_, ClientRecord> {
        lock(&self.record)
    }
}

fn lock(record: &Mutex<ClientRecord>) -> MutexGuard<'_, ClientRecord> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
