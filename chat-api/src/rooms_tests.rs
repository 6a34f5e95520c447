use super::*;
use crate::message::Position;

#[test]
fn everybody_reads_and_speaks_in_the_lobby() {
    assert!(Access::IN_LOBBY.may_read() && Access::IN_LOBBY.may_say());
}

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// A room with an owner, a member, somebody who left and somebody who is banned.
fn room(kind: RoomKind, phase: Phase) -> RoomState {
    let mut state = RoomState::restored(Position::FIRST, Some(Room { kind, name: None, phase }));
    let people = [
        ("ada", Standing::Owner),
        ("bob", Standing::Member),
        ("cid", Standing::Left),
        ("eve", Standing::Banned),
    ];
    for (name, standing) in people {
        state.set(&person(name), standing, Position::FIRST);
    }
    state
}

/// Who of them and a stranger may read, and who may speak.
fn may(state: &RoomState) -> (Vec<&'static str>, Vec<&'static str>) {
    let who = |may: fn(Access) -> bool| {
        let names = ["ada", "bob", "cid", "eve", "fay"].into_iter();
        names.filter(|name| may(Access::in_room(state, &person(name)))).collect()
    };
    (who(Access::may_read), who(Access::may_say))
}

#[test]
fn who_is_in_a_room_reads_and_speaks_and_everybody_reads_a_public_one() {
    let (everybody, inside) = (vec!["ada", "bob", "cid", "eve", "fay"], vec!["ada", "bob"]);
    let (public, group) = (RoomKind::Public, RoomKind::Group);
    assert_eq!(may(&room(public, Phase::Open)), (everybody.clone(), inside.clone()));
    assert_eq!(may(&room(public, Phase::Archived)), (everybody, vec![]));
    assert_eq!(may(&room(group, Phase::Open)), (inside.clone(), inside.clone()));
    assert_eq!(may(&room(group, Phase::Archived)), (inside, vec![]));
    for kind in [public, group, RoomKind::Direct] {
        assert_eq!(may(&room(kind, Phase::Deleted)), (vec![], vec![]), "{kind:?}");
    }
    assert_eq!(may(&RoomState::default()), (vec![], vec![]), "never made");
}

#[test]
fn while_one_blocks_the_other_both_read_their_direct_room_and_neither_speaks() {
    let name = None;
    let made = Room { kind: RoomKind::Direct, name, phase: Phase::Open };
    let mut state = RoomState::restored(Position::FIRST, Some(made));
    state.set(&person("ada"), Standing::Member, Position::FIRST);
    state.set(&person("bob"), Standing::Member, Position::FIRST);
    assert_eq!(may(&state), (vec!["ada", "bob"], vec!["ada", "bob"]));
    state.set(&person("bob"), Standing::Blocked, Position::FIRST.next());
    assert_eq!(may(&state), (vec!["ada", "bob"], vec![]));
}

#[test]
fn a_guest_reads_what_everybody_may_and_is_in_no_room() {
    let lobby = Access::OF_GUEST_IN_LOBBY;
    assert!(lobby.may_read() && !lobby.may_say());
    for kind in [RoomKind::Public, RoomKind::Group, RoomKind::Direct] {
        for phase in [Phase::Open, Phase::Archived, Phase::Deleted] {
            let access = Access::of_guest(&room(kind, phase));
            let is_read = kind == RoomKind::Public && phase != Phase::Deleted;
            assert_eq!(access.may_read(), is_read, "{kind:?}, {phase:?}");
            assert!(!access.may_say() && !access.is_member() && !access.owns(), "{kind:?}");
        }
    }
    assert!(!Access::of_guest(&RoomState::default()).may_read(), "never made");
}
