//! Who is online

use super::*;
use crate::message::UserName;

const SECOND: Duration = Duration::from_secs(1);
const PACE: Pace = Pace { every: Duration::from_secs(10), grace: Duration::from_secs(10) };

fn author(name: &str) -> Author {
    let user_id = UserId::parse(name).unwrap();
    Author { user_name: UserName::parse(&format!("Name of {name}")).unwrap(), user_id }
}

fn core(name: &str, life: u128) -> Core {
    Core::new(name.to_owned(), Boot::new(uuid::Uuid::from_u128(life)), PACE)
}

/// Everything that one process tells now comes to the other.
fn tell(from: &mut Core, to: &mut Core, now: Instant) -> Vec<Outcome> {
    let name = from.replica.clone();
    let records = from.due(now, 0);
    records.into_iter().map(|record| to.hear(&name, record, now)).collect()
}

fn ids(core: &Core) -> Vec<String> {
    core.after(None).map(|person| person.user_id.to_string()).collect()
}

#[test]
fn several_devices_of_one_person_count_once_wherever_they_are() {
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    for _ in 0..3 {
        assert!(one.enter(&author("ada")));
        assert!(two.enter(&author("ada")));
    }
    assert!(two.enter(&author("bob")));
    tell(&mut two, &mut one, now);
    assert_eq!(one.counts().signed_in, 2);
    assert_eq!(ids(&one), ["ada", "bob"]);

    for _ in 0..3 {
        one.leave(&author("ada").user_id, now);
    }
    let _ = one.due(now + 11 * SECOND, 0);
    tell(&mut two, &mut one, now + 11 * SECOND);
    assert_eq!(ids(&one), ["ada", "bob"], "the other process has her still");
}

#[test]
fn somebody_is_online_for_the_grace_after_the_last_connection_and_not_offline_who_comes_back() {
    let (mut one, now) = (core("one", 1), Instant::now());
    for name in ["ada", "bob"] {
        assert!(one.enter(&author(name)));
        assert!(one.enter(&author(name)));
        one.leave(&author(name).user_id, now);
    }
    one.expire(now + 60 * SECOND);
    assert_eq!(ids(&one), ["ada", "bob"], "each has one connection still");

    let end = now + 60 * SECOND;
    one.leave(&author("ada").user_id, end);
    one.leave(&author("bob").user_id, end);
    one.expire(end + 9 * SECOND);
    assert!(one.enter(&author("bob")));
    one.expire(end + 10 * SECOND);
    assert_eq!(ids(&one), ["bob"]);
    assert!(one.after(Some(&author("bob").user_id)).next().is_none());
}

#[test]
fn changes_come_with_the_next_look_and_everybody_with_the_next_snapshot() {
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    assert_eq!(tell(&mut one, &mut two, now), [Outcome::Applied], "a snapshot of nobody");
    assert!(one.enter(&author("ada")));
    assert_eq!(tell(&mut one, &mut two, now + SECOND), [Outcome::Applied]);
    assert_eq!(ids(&two), ["ada"]);
    assert_eq!(tell(&mut one, &mut two, now + 2 * SECOND), [], "nothing changed");

    assert!(one.enter(&author("bob")));
    let lost = one.due(now + 3 * SECOND, 0);
    assert_eq!(lost.len(), 1);
    assert!(one.enter(&author("cleo")));
    assert_eq!(tell(&mut one, &mut two, now + 4 * SECOND), [Outcome::Gap]);
    assert_eq!(ids(&two), ["ada"], "nothing is made of a part");
    assert_eq!(tell(&mut one, &mut two, now + 10 * SECOND), [Outcome::Applied]);
    assert_eq!(ids(&two), ["ada", "bob", "cleo"]);
}

#[test]
fn a_silent_process_is_forgotten_after_three_of_its_own_snapshots() {
    let pace = Pace { every: SECOND, ..PACE };
    let mut one = Core::new("one".to_owned(), Boot::new(uuid::Uuid::from_u128(1)), pace);
    let (mut two, now) = (core("two", 2), Instant::now());
    assert!(one.enter(&author("ada")));
    tell(&mut one, &mut two, now);
    two.expire(now + 3 * SECOND - Duration::from_millis(1));
    assert_eq!((ids(&two).len(), two.peers()), (1, 1));
    two.expire(now + 3 * SECOND);
    assert_eq!((ids(&two).len(), two.peers()), (0, 0));
    tell(&mut one, &mut two, now + 4 * SECOND);
    assert_eq!(ids(&two), ["ada"], "it was only late");
}

#[test]
fn who_leaves_in_order_has_its_people_for_the_grace_and_so_has_a_life_that_is_over() {
    let (mut two, now) = (core("two", 9), Instant::now());
    let mut first = core("one", 1);
    assert!(first.enter(&author("ada")));
    tell(&mut first, &mut two, now);
    let last = first.farewell();
    assert_eq!(two.hear("one", last.clone(), now), Outcome::Applied);
    two.expire(now + 9 * SECOND);
    assert_eq!(ids(&two), ["ada"]);
    assert_eq!(two.hear("one", last, now + 9 * SECOND), Outcome::Old);
    two.expire(now + 10 * SECOND);
    assert_eq!(ids(&two).len(), 0);

    let mut second = core("one", 2);
    assert!(second.enter(&author("bob")));
    tell(&mut second, &mut two, now);
    let mut third = core("one", 3);
    assert_eq!(tell(&mut third, &mut two, now), [Outcome::Applied]);
    assert_eq!(ids(&two), ["bob"], "he is on his way");
    assert_eq!(tell(&mut second, &mut two, now + 5 * SECOND), []);
    assert_eq!(tell(&mut second, &mut two, now + 10 * SECOND), [Outcome::Old]);
    two.expire(now + 10 * SECOND);
    assert_eq!(ids(&two).len(), 0);
}

#[test]
fn a_process_hears_itself_and_its_earlier_lives_without_counting_them() {
    let (mut one, now) = (core("one", 5), Instant::now());
    assert!(one.enter(&author("ada")));
    let own = one.due(now, 0).remove(0);
    assert_eq!(one.hear("one", own, now), Outcome::Own);
    let mut earlier = core("one", 4);
    assert!(earlier.enter(&author("bob")));
    let record = earlier.due(now, 0).remove(0);
    assert_eq!(one.hear("one", record, now), Outcome::Own);
    assert_eq!((ids(&one), one.peers()), (vec!["ada".to_owned()], 0));
}

#[test]
fn guests_are_numbers_that_add_up() {
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    for (second, guests) in [(0, 3), (1, 4), (2, 4), (3, 0)] {
        let now = now + second * SECOND;
        let records = one.due(now, guests);
        assert_eq!(records.len(), usize::from(second != 2), "the same number is not told again");
        for record in records {
            assert_eq!(two.hear("one", record, now), Outcome::Applied);
        }
        let _ = two.due(now, 2);
        assert_eq!(two.counts(), Counts { signed_in: 0, guests: u64::from(guests) + 2 });
    }
}

#[test]
fn what_a_later_release_tells_leaves_no_gap() {
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    tell(&mut one, &mut two, now);
    let later = one.record(Told::Other);
    assert_eq!(two.hear("one", later, now), Outcome::Unknown);
    assert!(one.enter(&author("ada")));
    assert_eq!(tell(&mut one, &mut two, now + SECOND), [Outcome::Applied]);
    assert_eq!(ids(&two), ["ada"]);
}

#[test]
fn a_name_that_changes_is_told() {
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    assert!(one.enter(&author("ada")));
    tell(&mut one, &mut two, now);
    let renamed = Author { user_name: UserName::parse("Countess").unwrap(), ..author("ada") };
    assert!(one.enter(&renamed));
    assert_eq!(tell(&mut one, &mut two, now + SECOND), [Outcome::Applied]);
    let name = |core: &Core| core.person(PersonKey::of(&author("ada").user_id)).unwrap().user_name;
    assert_eq!((name(&one), name(&two)), (renamed.user_name.clone(), renamed.user_name));
}

#[test]
fn no_more_processes_are_believed_than_there_can_be() {
    let (mut two, now) = (core("two", 2), Instant::now());
    for number in 0..=LIVES_MAX {
        let record = core("x", 1).due(now, 0).remove(0);
        let expected = if number < LIVES_MAX { Outcome::Applied } else { Outcome::TooMany };
        assert_eq!(two.hear(&number.to_string(), record, now), expected);
    }
    assert_eq!(two.peers(), LIVES_MAX);
}

#[test]
fn no_more_people_of_one_process_are_believed_than_there_can_be() {
    use super::super::own::PEOPLE_MAX;
    let (mut one, mut two, now) = (core("one", 1), core("two", 2), Instant::now());
    for number in 0..PEOPLE_MAX {
        assert!(one.enter(&author(&number.to_string())));
    }
    assert!(!one.enter(&author("one too many")));
    assert!(one.enter(&author("1")), "who is counted may have one more connection");
    let outcomes = tell(&mut one, &mut two, now);
    assert_eq!(outcomes.last(), Some(&Outcome::Applied));
    assert_eq!(two.counts().signed_in, PEOPLE_MAX);

    let person = Person::from(&author("one too many"));
    let delta = Told::Delta { joined: vec![person.clone()], left: Vec::new(), guests: 0 };
    let delta = one.record(delta);
    assert_eq!(two.hear("one", delta, now), Outcome::TooMany);
    let people = vec![person; 1];
    for (chunk, people) in (0..).zip([one.own.all().collect::<Vec<_>>(), people]) {
        let part = Told::Snapshot { chunk, of: 2, every: 1_000, people, guests: 0 };
        let part = one.record(part);
        let expected = if chunk == 0 { Outcome::Collected } else { Outcome::TooMany };
        assert_eq!(two.hear("one", part, now), expected);
    }
    assert_eq!(two.counts().signed_in, PEOPLE_MAX);
}

#[test]
fn who_came_and_went_is_told_once() {
    let (mut one, now) = (core("one", 1), Instant::now());
    let ada = PersonKey::of(&author("ada").user_id);
    assert!(one.enter(&author("ada")));
    assert_eq!(one.take_changes(), HashSet::from([ada]));
    assert_eq!(one.take_changes(), HashSet::new());
    one.leave(&author("ada").user_id, now);
    one.expire(now + 10 * SECOND);
    assert_eq!(one.take_changes(), HashSet::from([ada]));
}
