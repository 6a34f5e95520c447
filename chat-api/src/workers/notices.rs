//! Runs the errands of [`Notices`](crate::notices::Notices): reads the rooms of whoever came, and loads rooms in which something
//! happened that concerns somebody here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::archive::MyRooms;
use crate::message::{RoomId, UserId};
use crate::notices::Errand;
use crate::room_loader::RoomError;
use crate::service::Service;
use crate::visitor::Visitor;

/// Reads at once, of the ten or so that there are connections for: after a restart everybody comes at the same
/// moment, and whoever asks for something comes first.
const AT_ONCE: usize = 2;
/// After an errand that came to nothing, because the archive is away or the person reads too much.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs errands until it is stopped.
pub async fn run_errands(
    service: Arc<Service>,
    mut errands: UnboundedReceiver<Errand>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let (service, turns) = (&*service, &Semaphore::new(AT_ONCE));
    let errands = stream::poll_fn(move |context| errands.poll_recv(context));
    // They are as many as there are people here, and rooms of theirs.
    let done = errands.for_each_concurrent(None, async |errand| match errand {
        Errand::RoomsOf(person) => read_rooms(service, turns, &person).await,
        Errand::Room(room, person) => load(service, turns, &room, &person).await,
    });
    tokio::select! {
        () = stop.cancelled() => {}
        () = done => {}
    }
    Ok(())
}

async fn read_rooms(service: &Service, turns: &Semaphore, person: &UserId) {
    while service.notices.is_here(person) {
        if let Some(rooms) = rooms_of(service, turns, person).await {
            return service.notices.know(person, rooms);
        }
        sleep(AGAIN).await;
    }
}

/// The rooms of a person. None if they cannot be read now.
async fn rooms_of(service: &Service, turns: &Semaphore, person: &UserId) -> Option<Vec<RoomId>> {
    let _turn = turns.acquire().await.ok()?;
    let reader = service.reads.admit(person).ok()?;
    let stored = MyRooms::of(&reader).newest().await.ok()?;
    // What stands in the log and is not stored yet is kept here: so it is asked for after the rest.
    Some(service.hub.rooms_of(person).into_iter().chain(stored).collect())
}

async fn load(service: &Service, turns: &Semaphore, room: &RoomId, person: &UserId) {
    let partition = service.partitioner.of(room);
    let visitor = Visitor::Person(person.clone());
    while service.notices.is_here(person) {
        let turn = turns.acquire().await;
        let loaded = service.rooms.load(&visitor, partition, room).await;
        drop(turn);
        match loaded {
            Ok(()) | Err(RoomError::Unloaded) => break,
            Err(_) => sleep(AGAIN).await,
        }
    }
    service.notices.go_on(room, &service.hub);
}
