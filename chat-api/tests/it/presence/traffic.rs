//! What replicas tell each other of 5,000 people, in bytes and records: counted, not timed

use std::time::Duration;

use chat_api::message::{Author, UserId, UserName};
use chat_api::presence::{Boot, Core, Pace, Record};
use tokio::time::Instant;
use uuid::Uuid;

const PEOPLE: usize = 5_000;
/// A minute in which one in ten thousand comes or goes each second.
const SECONDS: u32 = 60;
const PACE: Pace = Pace { every: Duration::from_secs(10), grace: Duration::from_secs(10) };
/// What the broker takes in one batch, and so in one record.
const RECORD_MAX: usize = 1_048_588;

/// A person with a subject of Dex's length and a name of a usual one.
fn person(number: usize) -> Author {
    let user_id = UserId::parse(&format!("{number:0>76}")).unwrap();
    Author { user_id, user_name: UserName::parse(&format!("Somebody No. {number}")).unwrap() }
}

/// What all replicas told in a minute.
#[derive(Debug, Default)]
struct Told {
    records: usize,
    bytes: usize,
    largest: usize,
}

/// One minute of so many replicas that share the people. All of them hear everything.
fn minute(replicas: usize) -> Told {
    let name = |number: usize| format!("chat-api-{number}");
    let boot = |number: usize| Boot::new(Uuid::from_u128(number as u128));
    let mut cores: Vec<Core> =
        (0..replicas).map(|number| Core::new(name(number), boot(number), PACE)).collect();
    let home = |person: usize| person % replicas;
    for number in 0..PEOPLE {
        assert!(cores[home(number)].enter(&person(number)));
    }
    let (begin, mut told) = (Instant::now(), Told::default());
    for second in 0..SECONDS {
        let now = begin + Duration::from_secs(second.into());
        // One leaves and one comes who was not there before.
        let (old, new) = (second as usize, PEOPLE + second as usize);
        cores[home(old)].leave(&person(old).user_id, now);
        assert!(cores[home(new)].enter(&person(new)));
        for from in 0..replicas {
            for record in cores[from].due(now, 0) {
                let value = record.encode();
                told.records += 1;
                told.bytes += value.len();
                told.largest = told.largest.max(value.len());
                for core in &mut cores {
                    core.hear(&name(from), Record::decode(&value).unwrap(), now);
                }
            }
        }
    }
    // All of them know the same, and the right thing: the last ten who left are online still.
    for core in &cores {
        assert_eq!(
            core.counts().signed_in,
            PEOPLE + usize::try_from(PACE.grace.as_secs()).unwrap()
        );
        assert_eq!(core.peers(), replicas - 1);
    }
    told
}

#[test]
fn what_is_told_of_five_thousand_people_grows_by_little_with_replicas() {
    let (one, three) = (minute(1), minute(3));
    for (replicas, told) in [(1, &one), (3, &three)] {
        let Told { records, bytes, largest } = told;
        let per_second = |count: usize| count / SECONDS as usize;
        println!(
            "{PEOPLE} people, {replicas} replica(s): {} bytes/s and {} records/s written, {} bytes/s and \
             {} records/s read by all of them; the largest record has {largest} bytes",
            per_second(*bytes),
            per_second(*records),
            per_second(bytes * replicas),
            per_second(records * replicas),
        );
        assert!(*largest < RECORD_MAX);
    }
    // Each person is told of by one replica, however many there are; and each replica tells by itself.
    assert!(three.bytes < one.bytes * 11 / 10, "{three:?} for {one:?}");
    assert!(three.records < one.records * 3, "{three:?} for {one:?}");
    // Two hundred bytes for each person in ten seconds.
    assert!(one.bytes < PEOPLE * 200 * SECONDS as usize / 10, "{one:?}");
}
