use super::*;

#[test]
fn everybody_reads_and_speaks_in_the_lobby_and_there_is_no_other_room() {
    for person in ["ada", "bob"] {
        let person = UserId::parse(person).unwrap();
        let lobby = Access::of(&RoomId::lobby(), &person);
        assert!(lobby.may_read() && lobby.may_say());
        for room in ["attic", "lobby2", "lobb"] {
            let access = Access::of(&RoomId::parse(room).unwrap(), &person);
            assert!(!access.may_read() && !access.may_say(), "{room}");
        }
    }
}
