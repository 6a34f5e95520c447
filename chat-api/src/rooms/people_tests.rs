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

#[test]
fn those_are_found_who_are_known_however_few_or_many_are_looked_for() {
    let mut people = People::default();
    let standings = [Standing::Owner, Standing::Blocked, Standing::Left, Standing::Banned];
    for (number, standing) in (0..).zip(standings) {
        people.set(&person(number), standing, Position::FIRST);
    }
    let keys = |numbers: std::ops::Range<usize>| -> HashSet<PersonKey> {
        numbers.map(|number| PersonKey::of(&person(number))).collect()
    };
    assert_eq!(people.keys().collect::<HashSet<_>>(), keys(0..2), "in the room");
    for (looked_for, is_known) in [(3..4, true), (3..100, true), (4..5, false), (4..100, false)] {
        assert_eq!(people.has_any(&keys(looked_for.clone())), is_known, "{looked_for:?}");
    }
    assert!(!people.has_any(&HashSet::new()));
}
