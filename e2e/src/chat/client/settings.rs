//! Who a client is and where it goes.

use std::sync::Arc;

use crate::chat::place::Place;
use crate::wallet::Wallet;

/// Who a client is and where it goes.
#[derive(Debug)]
pub struct Settings {
    /// What it is called in what is told of it.
    pub name: String,
    /// The replicas it may go to.
    pub replicas: Vec<String>,
    /// Where it goes first: an index of `replicas`.
    pub home: usize,
    /// The tokens of the person whose client it is; a guest has none.
    pub wallet: Option<Arc<Wallet>>,
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
