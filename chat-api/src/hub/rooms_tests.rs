use chrono::DateTime;

use super::*;
use crate::hub::{HubReadError, HubSizes, SPAN};
use crate::message::{
    Body, Envelope, MemberAct, MemberChange, MessageId, On, Proposal, Proposed, RoomChange,
    RoomName, Settings, UserName, Visibility,
};
use crate::rooms::{Phase, Room, RoomKind};

pub(in crate::hub) fn at(raw: i64) -> Position {
    Position::from_raw(raw).unwrap()
}

pub(in crate::hub) fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A public room that Ada made as the first thing in the log.
pub(in crate::hub) fn made() -> RoomState {
    let made = Room { kind: RoomKind::Public, name: None, phase: Phase::Open };
    let mut state = RoomState::restored(at(0), Some(made));
    state.set(&person("ada"), Standing::Owner, at(0));
    state
}

fn partition() -> Partition {
    Partition::from_number(0).unwrap()
}

fn record(raw: i64, room: &str, by: &str, on: On, change: Proposed) -> Event {
    let user_id = person(by);
    let envelope = Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [u8::try_from(raw).unwrap(); 10]),
        room_id: RoomId::parse(room).unwrap(),
        user_name: UserName::shown(None, &user_id),
        user_id,
        timestamp: DateTime::UNIX_EPOCH,
        body: Body::Proposal(Box::new(Proposal { on, change })),
    };
    Event { partition: partition(), position: at(raw), envelope }
}

fn member(act: MemberAct, subject: &str) -> Proposed {
    let (subject, successor) = (person(subject), None);
    Proposed::Member(MemberChange { act, subject, successor, archives: false, moves_room: false })
}

fn on(actor: i64, subject: Option<i64>) -> On {
    On { room: at(0), actor: Some(at(actor)), subject: subject.map(at) }
}

/// Somebody joins who was never there, a room that was made at the place 0.
pub(in crate::hub) fn join(raw: i64, room: &str, who: &str) -> Event {
    record(raw, room, who, on(-1, Some(-1)), member(MemberAct::Join, who))
}

/// Any proposal.
pub(in crate::hub) fn proposal(raw: i64, room: &str) -> Event {
    join(raw, room, "bob")
}

/// Ada makes the room.
fn create(raw: i64) -> Event {
    let (visibility, name) = (Visibility::Public, RoomName::parse("Attic").unwrap());
    let change = Proposed::Room(RoomChange::Create { visibility, name });
    record(raw, "attic", "ada", On { room: Position::BEFORE_ALL, ..on(-1, None) }, change)
}

/// Ada removes Bob, whose membership is of that place.
fn remove(raw: i64, of: i64) -> Event {
    record(raw, "attic", "ada", on(0, Some(of)), member(MemberAct::Remove, "bob"))
}

fn said(raw: i64) -> Event {
    let mut event = proposal(raw, "attic");
    let content = crate::message::Content::parse("said").ok();
    event.envelope.body = Body::Message { content, body_hash: None, reply_to: None };
    event
}

fn room() -> RoomId {
    RoomId::parse("attic").unwrap()
}

/// A hub that holds so many bytes of events.
fn hub(ring_bytes: usize) -> Hub {
    Hub::new(&[Position::FIRST], HubSizes::of(ring_bytes, SPAN, 1))
}

/// The archive decided about all up to that place, and nothing of this room.
fn nothing(complete: i64) -> RoomSnapshot {
    RoomSnapshot {
        state: RoomState::default(),
        upto: Position::BEFORE_ALL,
        complete: at(complete),
        from: Position::BEFORE_ALL,
        accepted: Vec::new(),
    }
}

/// The places of what is sent of the room, page by page: each ends behind what ends somebody's subscription.
fn sent(hub: &Hub) -> Vec<i64> {
    let (mut places, mut next) = (Vec::new(), hub.floor(partition()));
    loop {
        let page = hub.read(partition(), &room(), next, usize::MAX).unwrap();
        if page.next == next {
            return places;
        }
        let spoken = page.entries.iter().filter(|entry| !entry.is_silent());
        places.extend(spoken.map(|entry| entry.position.raw()));
        next = page.next;
    }
}

fn standing(hub: &Hub, name: &str) -> Option<Standing> {
    hub.room(partition(), &room(), |known| match known {
        Known::Room(state) => state.standing(&person(name)),
        known => panic!("{known:?}"),
    })
}

/// Ada makes the room, Bob joins, joins again, which does not count, and is removed.
fn told() -> [Event; 5] {
    [create(0), said(1), join(2, "attic", "bob"), join(3, "attic", "bob"), remove(4, 2)]
}

#[test]
fn a_room_is_the_same_whenever_it_is_loaded_and_only_what_counts_is_an_event() {
    for before in 0..=5 {
        let (hub, told) = (hub(1 << 20), told());
        let taken = |event| hub.take(event);
        let first: Vec<_> = told[..before].iter().map(taken).collect();
        assert_eq!(first, vec![Taken::New; before], "nobody knows");
        if before > 0 {
            let read = hub.read(partition(), &room(), at(0), 1);
            assert_eq!(read, Err(HubReadError::Unloaded), "and nobody reads");
        }
        assert_eq!(hub.load(partition(), &room(), &nothing(-1)), Ok(()));
        for event in &told[before..] {
            _ = hub.take(event);
        }
        assert_eq!(sent(&hub), [0, 1, 2, 4], "{before}");
        assert_eq!(standing(&hub, "bob"), Some(Standing::Left));
        assert_eq!(standing(&hub, "ada"), Some(Standing::Owner));
    }
}

#[test]
fn what_the_archive_decided_is_not_decided_again() {
    let (hub, told) = (hub(1 << 20), told());
    for event in &told {
        _ = hub.take(event);
    }
    // Of another room with the same name: what counts there the comparison would not find.
    let mut state = made();
    state.set(&person("bob"), Standing::Member, at(3));
    let accepted = vec![at(0), at(3)];
    let snapshot = RoomSnapshot { state, upto: at(3), accepted, ..nothing(3) };
    assert_eq!(hub.load(partition(), &room(), &snapshot), Ok(()));
    assert_eq!(sent(&hub), [0, 1, 3]);
    assert_eq!(standing(&hub, "bob"), Some(Standing::Member), "the removal was judged on another");
}

#[test]
fn a_room_that_is_known_stays_as_it_is() {
    let (hub, told) = (hub(1 << 20), told());
    assert_eq!(hub.load(partition(), &room(), &nothing(-1)), Ok(()));
    for event in &told {
        _ = hub.take(event);
    }
    assert_eq!(hub.load(partition(), &room(), &nothing(4)), Ok(()));
    assert_eq!(standing(&hub, "bob"), Some(Standing::Left));
}

#[test]
fn a_snapshot_that_does_not_fit_what_was_read_here_is_not_taken() {
    let (hub, told) = (hub(1), told());
    for event in &told {
        _ = hub.take(event);
    }
    // All proposals but the last one are let go.
    assert_eq!(hub.load(partition(), &room(), &nothing(2)), Err(NotLoaded::Behind));
    let ahead = RoomSnapshot { upto: at(5), ..nothing(3) };
    assert_eq!(hub.load(partition(), &room(), &ahead), Err(NotLoaded::Ahead(at(5))));
    let fits = RoomSnapshot { state: made(), upto: at(0), ..nothing(3) };
    assert_eq!(hub.load(partition(), &room(), &fits), Ok(()));
}

#[test]
fn a_room_that_is_not_understood_is_let_go_and_not_loaded_again() {
    let hub = hub(1 << 20);
    assert_eq!(hub.load(partition(), &room(), &nothing(-1)), Ok(()));
    assert!(hub.unload(partition(), at(0), &room()));
    assert!(hub.room(partition(), &room(), |known| matches!(known, Known::Unloaded)));
    assert_eq!(hub.load(partition(), &room(), &nothing(0)), Err(NotLoaded::Unloaded));
}

#[test]
fn a_log_that_is_read_anew_is_known_anew() {
    let hub = hub(1 << 20);
    assert_eq!(hub.load(partition(), &room(), &nothing(-1)), Ok(()));
    hub.restart(partition(), at(7));
    assert!(hub.room(partition(), &room(), |known| matches!(known, Known::NotLoaded)));
    assert_eq!(hub.load(partition(), &room(), &nothing(5)), Err(NotLoaded::Behind));
    assert_eq!(hub.load(partition(), &room(), &nothing(6)), Ok(()));
}

#[test]
fn strangers_are_those_who_were_not_in_the_room_and_are_not() {
    let hub = hub(1 << 20);
    assert_eq!(hub.load(partition(), &room(), &nothing(-1)), Ok(()));
    let set = Settings { visibility: Some(Visibility::Group), ..Settings::default() };
    let closed = record(3, "attic", "ada", on(0, None), Proposed::Room(RoomChange::Set(set)));
    let invited = record(
        4,
        "attic",
        "ada",
        On { room: at(3), ..on(0, Some(-1)) },
        member(MemberAct::Invite, "cid"),
    );
    let removed = |raw, who, of| {
        let on = On { room: at(3), ..on(0, Some(of)) };
        record(raw, "attic", "ada", on, member(MemberAct::Remove, who))
    };
    let log = [create(0), join(1, "attic", "bob"), join(2, "attic", "dan"), closed, invited];
    let removals = [removed(5, "bob", 1), removed(6, "cid", 4)];
    for event in log.iter().chain(&removals) {
        assert_eq!(hub.take(event), Taken::New);
    }
    assert_eq!(sent(&hub), [0, 1, 2, 3, 4, 5, 6]);
    let is_stranger = |name| hub.is_stranger_since(partition(), &room(), &person(name), at(3));
    let strangers = ["ada", "bob", "cid", "dan", "eve"].map(is_stranger);
    // Bob and Cid are ended where they are removed.
    assert_eq!(strangers, [false, false, false, false, true]);
}
