use super::*;

fn at(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap()
}

#[test]
fn an_id_is_made_of_the_time_and_the_randomness_that_are_handed_in() {
    let sources = Sources { now: DateTime::default, random: || [0; 10] };
    let id = sources.id(at(0x0123_4567_89ab));
    assert_eq!(id.to_string(), "01234567-89ab-7000-8000-000000000000");
    assert_eq!(sources.id(at(-1)), sources.id(at(0)));
}

#[test]
fn ids_of_the_system_differ_and_sort_by_time() {
    let sources = Sources::system();
    let ids = [1, 1, 2].map(|millis| sources.id(at(millis)));
    assert_ne!(ids[0], ids[1]);
    assert!(ids[2] > ids[0] && ids[2] > ids[1]);
}
