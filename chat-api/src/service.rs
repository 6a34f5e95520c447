//! What a running replica is made of, as far as handlers and sessions see it.

use std::sync::Arc;

use axum::http::HeaderValue;
use dex_tokens::Verifier;
use service_process::admin::Readiness;
use service_process::sources::Sources;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::archive::Reads;
use crate::backfill::Backfill;
use crate::config::Timeouts;
use crate::guests::Guests;
use crate::hub::Hub;
use crate::ingest::Ingest;
use crate::kafka::Partitioner;
use crate::metrics;
use crate::notices::Notices;
use crate::people::Book;
use crate::presence::Presence;
use crate::rate::Rate;
use crate::room_loader::RoomLoader;
use crate::sockets::Sockets;
use crate::typing::Typing;

/// What handlers and sessions work with.
pub struct Service {
    /// Verifies the tokens that people send.
    pub verifier: Verifier,
    /// What this replica has seen of people.
    pub people: Book,
    /// Who comes without a token.
    pub guests: Arc<Guests>,
    /// Appends what people say to the log.
    pub ingest: Ingest,
    /// The last events of each partition, and who is to be woken for the next.
    pub hub: Arc<Hub>,
    /// The archive, as people read it.
    pub reads: Arc<Reads>,
    /// Pages of it for sockets that are behind.
    pub backfill: Backfill,
    /// What is known of rooms, and what each person may do in them.
    pub rooms: Arc<RoomLoader>,
    /// Which partition a room is in.
    pub partitioner: Partitioner,
    /// The clock and the randomness of this process.
    pub sources: Sources,
    /// How long clients are waited for.
    pub timeouts: Timeouts,
    /// How many frames a client may send on one socket.
    pub frames: Rate,
    /// Origins whose pages may call.
    pub allowed_origins: Vec<HeaderValue>,
    /// Whether a request may say which trace it belongs to.
    pub trusts_traceparent: bool,
    /// Whether this replica is ready for requests.
    pub readiness: Readiness,
    /// Cancelled when a stop was asked for: no more connections should come here.
    pub leaving: CancellationToken,
    /// Every open socket: through it they are sent commands.
    pub sockets: Arc<Sockets>,
    /// What people are told of rooms that their sockets do not hear.
    pub notices: Arc<Notices>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Who is typing.
    pub typing: Arc<Typing>,
    /// The tasks of the open sockets, which a stop waits for.
    pub open_sockets: TaskTracker,
    /// What is counted too often to look its counter up each time.
    pub counters: Counters,
}

/// Counters that are looked up once.
pub struct Counters {
    /// Events that were handed to sockets.
    pub delivered: ::metrics::Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self { delivered: ::metrics::counter!(metrics::EVENTS_DELIVERED) }
    }
}
