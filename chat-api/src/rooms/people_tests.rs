use super::*;

fn person(number: usize) -> UserId {
    UserId::parse(&format!("CiQwOGE4Njg0Yi1kYjg4-{number:08}")).unwrap()
}

#[test]
fn ten_thousand_people_take_at_most_32_bytes_each_however_they_came() {
    let mut people = People::default();
    for number in 0..10_000 {
        people.set(&person(number), Standing::Member, Position::FIRST);
        let count = number + 1;
        assert!(count < 100 || people.bytes() <= 32 * count, "{} of {count}", people.bytes());
    }
    assert_eq!(people.members(), 10_000);
}

#[test]
fn everybody_is_found_with_what_was_set_last_and_counted_once() {
    let mut people = People::default();
    let at = |raw| Position::from_raw(raw).unwrap();
    for number in 0..100 {
        people.set(&person(number), Standing::Member, at(1));
    }
    people.set(&person(7), Standing::Owner, at(2));
    people.set(&person(8), Standing::Owner, at(3));
    people.set(&person(8), Standing::Left, at(1 << 62));
    people.set(&person(9), Standing::Banned, at(5));
    people.set(&person(10), Standing::Blocked, at(6));
    assert_eq!(people.find(&person(7)), Some((Standing::Owner, at(2))));
    assert_eq!(people.find(&person(8)), Some((Standing::Left, at(1 << 62))));
    assert_eq!(people.find(&person(99)), Some((Standing::Member, at(1))));
    assert_eq!(people.find(&person(100)), None);
    assert_eq!((people.members(), people.owners(), people.has_blocked()), (98, 1, true));
}
