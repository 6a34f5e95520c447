use super::*;
use crate::message::RoomName;
use crate::rooms::Room;

fn at(offset: i64) -> Position {
    Position::from_raw(offset).unwrap()
}

#[test]
fn a_room_is_read_as_it_was_written_and_with_what_a_later_release_adds() {
    let name = RoomName::parse("Attic").ok();
    for kind in [RoomKind::Public, RoomKind::Group, RoomKind::Direct] {
        for phase in [Phase::Open, Phase::Archived, Phase::Deleted] {
            for name in [None, name.clone()] {
                let state = RoomState::restored(at(7), Some(Room { kind, name, phase }));
                let mut document = of_room(&state, at(9));
                document.insert("_id", "attic");
                document.insert("topic", "added");
                assert_eq!(room(&document).unwrap(), (state, at(9)), "{document}");
            }
        }
    }
    let never = RoomState::default();
    assert_eq!(room(&of_room(&never, at(9))).unwrap(), (never, at(9)), "void proposals only");
    for foreign in [doc! {}, doc! { "at": 1_i64, "pos": 1_i64, "kind": "castle" }] {
        assert!(matches!(room(&foreign), Err(ArchiveError::Foreign("rooms"))), "{foreign}");
    }
}

#[test]
fn a_membership_is_read_as_it_was_written() {
    let (id, person) = (RoomId::parse("attic").unwrap(), UserId::parse("a/b c").unwrap());
    for standing in
        [Standing::Left, Standing::Member, Standing::Owner, Standing::Banned, Standing::Blocked]
    {
        let since = chrono::DateTime::UNIX_EPOCH;
        let document = of_member(&id, &person, &Membership { standing, at: at(5), since });
        assert_eq!(member(&document).unwrap(), (person.clone(), standing, at(5)), "{document}");
    }
    assert!(matches!(member(&doc! { "user_id": "ada" }), Err(ArchiveError::Foreign("members"))));
}
