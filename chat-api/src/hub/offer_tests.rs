//! What is offered

use std::sync::{Arc, Mutex};

use super::super::sweep::Listener;
use super::*;
use crate::hub::Memo;
use crate::message::Position;

struct Ear {
    person: UserId,
    is_free: bool,
    heard: Mutex<Vec<Bytes>>,
}

impl Listener for Ear {
    fn sweep(&self, _: &mut Memo) {}

    fn offer(&self, offer: &Offer) -> bool {
        if self.is_free {
            self.heard.lock().unwrap().extend(offer.to(&self.person));
        }
        self.is_free
    }
}

fn ear(name: &str, is_free: bool) -> Arc<Ear> {
    let person = UserId::parse(name).unwrap();
    Arc::new(Ear { person, is_free, heard: Mutex::default() })
}

fn about(names: &[&'static str]) -> Offer {
    let frame =
        |name: &&'static str| (UserId::parse(name).unwrap(), Bytes::from_static(name.as_bytes()));
    Offer::about(names.iter().map(frame).collect())
}

#[test]
fn nobody_is_told_of_oneself() {
    let to = |offer: &Offer, name: &str| offer.to(&UserId::parse(name).unwrap());
    let both = about(&["ada", "bob"]);
    assert_eq!(to(&both, "cleo").as_deref(), Some(b"adabob".as_slice()));
    assert_eq!(to(&both, "ada").as_deref(), Some(b"bob".as_slice()));
    assert_eq!(to(&about(&["ada"]), "ada"), None);
    let state = Offer::state(Bytes::from_static(b"two"), 1);
    assert_eq!(to(&state, "ada").as_deref(), Some(b"two".as_slice()));
}

#[tokio::test]
async fn everybody_who_hears_the_room_is_offered_it_once_however_many_they_are() {
    let hub = Arc::new(Hub::new(&[Position::FIRST], 1 << 20, 10, 3));
    let partition = Partition::from_number(0).unwrap();
    let listen = |room: &RoomId, ear: &Arc<Ear>| hub.listen(partition, room, Arc::clone(ear) as _);
    let (lobby, attic) = (RoomId::lobby(), RoomId::parse("attic").unwrap());
    // As many as several passes take, and exactly as many as one does.
    for count in [0, 1, 3 * CHUNK, 10 * CHUNK + 1] {
        let ears: Vec<_> = (0..count).map(|number| ear(&number.to_string(), true)).collect();
        let _listening: Vec<_> = ears.iter().map(|ear| listen(&lobby, ear)).collect();
        let elsewhere = ear("elsewhere", true);
        let _elsewhere = listen(&attic, &elsewhere);
        assert!(hub.offer(partition, &lobby, &about(&["ada"])).await);
        assert!(ears.iter().all(|ear| *ear.heard.lock().unwrap() == ["ada"]));
        assert!(elsewhere.heard.lock().unwrap().is_empty());
    }
    let (free, busy) = (ear("free", true), ear("busy", false));
    let _listening = [listen(&lobby, &busy), listen(&lobby, &free)];
    assert!(!hub.offer(partition, &lobby, &about(&["ada"])).await, "one went without it");
    assert_eq!(*free.heard.lock().unwrap(), ["ada"]);
}
