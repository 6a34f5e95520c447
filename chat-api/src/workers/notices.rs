//! Runs the errands of [`Notices`](crate::notices::Notices): reads the rooms of whoever came, and loads rooms in which something
//! happened that concerns somebody here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::archive::MyRooms;
use crate::message::{RoomId, UserId};
use crate::notices::Errand;
use crate::room_loader::RoomError;
use crate::service::Service;
use crate::visitor::Visitor;

/// Errands at once: after a restart everybody comes at the same moment.
const AT_ONCE: usize = 8;
/// After an errand that came to nothing, because the archive is away or the person reads too much.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs errands until it is stopped.
pub async fn run_errands(
    service: Arc<Service>,
    mut errands: UnboundedReceiver<Errand>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let service = &*service;
    let errands = stream::poll_fn(move |context| errands.poll_recv(context));
    let done = errands.for_each_concurrent(AT_ONCE, async |errand| match errand {
        Errand::RoomsOf(person) => read_rooms(service, &person).await,
        Errand::Room(room, person) => load(service, &room, &person).await,
    });
    tokio::select! {
        () = stop.cancelled() => {}
        () = done => {}
    }
    Ok(())
}

async fn read_rooms(service: &Service, person: &UserId) {
    while service.notices.is_here(person) {
        if let Ok(reader) = service.reads.admit(person)
            && let Ok(rooms) = MyRooms::of(&reader).newest().await
        {
            // What stands in the log and is not stored yet is kept here: so it is asked for after the rest.
            let latest = service.hub.rooms_of(person);
            return service.notices.know(person, latest.into_iter().chain(rooms));
        }
        sleep(AGAIN).await;
    }
}

async fn load(service: &Service, room: &RoomId, person: &UserId) {
    let partition = service.partitioner.of(room);
    let visitor = Visitor::Person(person.clone());
    while service.notices.is_here(person) {
        match service.rooms.load(&visitor, partition, room).await {
            Ok(()) | Err(RoomError::Unloaded) => break,
            Err(_) => sleep(AGAIN).await,
        }
    }
    service.notices.go_on(room, &service.hub);
}
