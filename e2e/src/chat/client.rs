//! The reference client: keeps a cursor per room, comes back after any close that allows it, drops what it knows,
//! and writes down what it heard, so that it can be compared with the log.
//!
//! It has at most one send without an answer, under a key, and repeats it under the same key until it is acknowledged.

mod connection;
mod life;
mod order;
mod reconnect;
mod record;
mod rest;
mod saying;
mod settings;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

pub use order::Cut;
pub use record::Record;
pub use saying::{Acked, Refused};
pub use settings::Settings;

use super::transcript::Transcript;
use life::Life;
use order::Order;
use record::lock;
use saying::Saying;

/// Orders wait here while the client is on its way.
const ORDERS: usize = 16;

/// Speaks to a client that runs. The client ends when nobody holds one any more.
#[derive(Clone)]
pub struct Client {
    about: Arc<Settings>,
    sayings: mpsc::Sender<Saying>,
    orders: mpsc::Sender<Order>,
    record: Arc<Mutex<Record>>,
}

impl Client {
    /// A client, and the life that somebody must run.
    pub fn new(settings: Settings) -> (Self, impl Future<Output = ()> + Send) {
        let (sayings, heard) = mpsc::channel(1);
        let (orders, given) = mpsc::channel(ORDERS);
        let transcript = settings.from.map(Transcript::from).unwrap_or_default();
        let record = Arc::new(Mutex::new(Record { transcript, ..Record::default() }));
        let about = Arc::new(settings);
        let life = Life::new(about.clone(), heard, given, record.clone());
        (Self { about, sayings, orders, record }, reconnect::run(life))
    }

    /// Its name.
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
        let _ = self.orders.send(Order::Cut(cut)).await;
    }

    /// Has it read nothing for a while, as a client does whose device sleeps.
    pub async fn stall(&self, time: Duration) {
        let _ = self.orders.send(Order::Stall(time)).await;
    }

    /// What it heard and what befell it.
    pub fn record(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }
}
