//! What is offered

use std::sync::{Arc, Mutex};

use tokio_tungstenite::tungstenite::Bytes;

use super::*;
use crate::hub::{HubSizes, Known, Told};
use crate::message::{Position, UserId};

/// A word for everybody.
struct Word(&'static str);

impl Offer for Word {
    fn to(&self, _: Option<&UserId>, version: u64) -> Option<Told> {
        Some(Told { frames: Bytes::from_static(self.0.as_bytes()), version, has_more: false })
    }
}

struct Ear {
    person: UserId,
    is_free: bool,
    heard: Mutex<Vec<Bytes>>,
}

impl Listener for Ear {
    fn sweep(&self, _: &mut Memo) {}

    fn offer(&self, offer: &dyn Offer) -> bool {
        if self.is_free {
            let told = offer.to(Some(&self.person), 0);
            self.heard.lock().unwrap().extend(told.map(|told| told.frames));
        }
        self.is_free
    }
}

fn ear(name: &str, is_free: bool) -> Arc<Ear> {
    let person = UserId::parse(name).unwrap();
    Arc::new(Ear { person, is_free, heard: Mutex::default() })
}

#[tokio::test]
async fn everybody_who_hears_the_room_is_offered_it_once_however_many_they_are() {
    let hub = Arc::new(Hub::new(&[Position::FIRST], HubSizes::of(1 << 20, 10, 3)));
    let partition = Partition::from_number(0).unwrap();
    let listen = |room: &RoomId, ear: &Arc<Ear>| {
        let all = |_: Known<'_>, _| Ok::<(), ()>(());
        hub.listen(partition, room, Arc::clone(ear) as _, all).unwrap()
    };
    let (lobby, attic) = (RoomId::lobby(), RoomId::parse("attic").unwrap());
    // As many as several passes take, and exactly as many as one does.
    for count in [0, 1, 3 * CHUNK, 10 * CHUNK + 1] {
        let ears: Vec<_> = (0..count).map(|number| ear(&number.to_string(), true)).collect();
        let _listening: Vec<_> = ears.iter().map(|ear| listen(&lobby, ear)).collect();
        let elsewhere = ear("elsewhere", true);
        let _elsewhere = listen(&attic, &elsewhere);
        assert!(hub.offer(partition, &lobby, &Word("ada")).await);
        assert!(ears.iter().all(|ear| *ear.heard.lock().unwrap() == ["ada"]));
        assert!(elsewhere.heard.lock().unwrap().is_empty());
    }
    let (free, busy) = (ear("free", true), ear("busy", false));
    let _listening = [listen(&lobby, &busy), listen(&lobby, &free)];
    assert!(!hub.offer(partition, &lobby, &Word("ada")).await, "one went without it");
    assert_eq!(*free.heard.lock().unwrap(), ["ada"]);
}
