//! How what is known of people who are online, and of those who type, comes to be and goes round.

use std::sync::Arc;

use chrono::TimeDelta;
use governor::clock::MonotonicClock;
use service_process::lifecycle::Tasks;
use service_process::sources::Sources;
use tokio_util::sync::CancellationToken;

use crate::config::ServeArgs;
use crate::guests::Guests;
use crate::hub::Hub;
use crate::kafka::{EphemeralProducer, Log, LogError, Partitioner, Recent};
use crate::presence::{Boot, Core, Presence};
use crate::room_loader::RoomLoader;
use crate::typing::Typing;
use crate::workers::{PresencePublisher, PresenceReader, Teller};

/// What the workers are made of.
pub(super) struct PresenceParts<'a> {
    pub(super) hub: &'a Arc<Hub>,
    pub(super) rooms: &'a Arc<RoomLoader>,
    pub(super) guests: &'a Arc<Guests>,
    pub(super) partitioner: Partitioner,
    pub(super) args: &'a ServeArgs,
    pub(super) sources: Sources,
}

/// Tells the others, hears them, and tells sockets.
pub(super) struct PresenceWorkers {
    pub(super) teller: Teller,
    publisher: PresencePublisher,
    reader: PresenceReader,
    producer: Arc<EphemeralProducer>,
}

impl PresenceParts<'_> {
    /// The workers, on that log.
    pub(super) fn workers(self, log: &Log) -> Result<PresenceWorkers, LogError> {
        let Self { hub, rooms, guests, partitioner, args, sources } = self;
        let id = sources.id((sources.now)());
        let replica = args.chat_replica.clone().unwrap_or_else(|| id.to_string());
        let pace = args.presence.pace();
        let core = Core::new(replica.clone(), Boot::new(id), pace);
        let presence = Arc::new(Presence::new(core));
        let producer = Arc::new(EphemeralProducer::new(log)?);
        let typing = Typing::new(Arc::clone(&producer), Arc::clone(rooms), MonotonicClock);
        let typing = Arc::new(typing);
        let reader = PresenceReader {
            recent: Recent::new(log)?,
            presence: Arc::clone(&presence),
            typing: Arc::clone(&typing),
            look_back: TimeDelta::from_std(pace.silence()).unwrap_or_default(),
            sources,
        };
        let publisher = PresencePublisher {
            presence: Arc::clone(&presence),
            producer: Arc::clone(&producer),
            guests: Arc::clone(guests),
            replica,
        };
        let teller = Teller { presence, typing, hub: Arc::clone(hub), partitioner };
        Ok(PresenceWorkers { teller, publisher, reader, producer })
    }
}

impl PresenceWorkers {
    /// Starts them; they end at that stop, when nobody has a socket any more.
    pub(super) fn run(self, tasks: &Tasks, stop: &CancellationToken) {
        let Self { teller, publisher, reader, producer } = self;
        tasks.worker("presence", publisher.run(stop.clone()));
        tasks.worker("presence reader", reader.run(stop.clone()));
        tasks.worker("teller", teller.run(stop.clone()));
        let stop = stop.clone();
        tasks.spawn(async move { producer.look_after(stop).await });
    }
}
