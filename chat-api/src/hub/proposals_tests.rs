use super::*;
use crate::hub::rooms::tests::{at, proposal};

fn places(proposals: &mut Proposals, room: &str) -> Vec<i64> {
    let room = RoomId::parse(room).unwrap();
    proposals.of(&room).map(|kept| kept.event.position.raw()).collect()
}

#[test]
fn the_oldest_go_when_there_are_too_many_and_the_floor_rises() {
    let size = bytes(&proposal(0, "attic"));
    let mut proposals = Proposals::new(at(3), 3 * size);
    for raw in 3..10 {
        let room = if raw % 2 == 0 { "attic" } else { "cellar" };
        proposals.push(Arc::new(proposal(raw, room)), None, at(raw));
    }
    // The name of the other room is longer by a byte, so one more has gone.
    assert_eq!(places(&mut proposals, "attic"), [8]);
    assert_eq!(places(&mut proposals, "cellar"), [9]);
    assert_eq!(proposals.floor(), at(8));
}

#[test]
fn none_goes_whose_place_the_ring_holds() {
    let mut proposals = Proposals::new(at(0), 1);
    for raw in 0..5 {
        proposals.push(Arc::new(proposal(raw, "attic")), None, at(raw.min(2)));
    }
    assert_eq!((places(&mut proposals, "attic"), proposals.floor()), (vec![2, 3, 4], at(2)));
}
