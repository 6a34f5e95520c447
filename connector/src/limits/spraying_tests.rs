use std::net::Ipv4Addr;

use super::*;
use crate::limits::tests::name;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn network(number: u32) -> Network {
    Network::of(Ipv4Addr::from_bits(number).into())
}

fn spraying() -> Spraying {
    Spraying::new(NonZeroU32::new(15).unwrap())
}

/// Fails with 16 names at once.
fn spray(spraying: &Spraying, number: u32, now: DateTime<Utc>) {
    (0..16).for_each(|n| spraying.failed(network(number), &name(n), now));
}

/// Whole minutes from `from` on for which the network is blocked.
fn blocked_minutes(spraying: &Spraying, number: u32, from: DateTime<Utc>) -> i64 {
    let minute = TimeDelta::minutes(1);
    (0..10_000).find(|n| !spraying.is_sprayed(network(number), from + minute * *n)).unwrap().into()
}

#[test]
fn fifteen_names_are_borne_and_the_sixteenth_blocks_its_network_for_15_minutes() {
    let spraying = spraying();
    (0..15).for_each(|n| spraying.failed(network(1), &name(n), START));
    assert!(!spraying.is_sprayed(network(1), START));
    spraying.failed(network(1), &name(15), START);
    assert!(spraying.is_sprayed(network(1), START));
    assert!(!spraying.is_sprayed(network(2), START));
    let end = START + TimeDelta::minutes(15);
    assert!(spraying.is_sprayed(network(1), end - TimeDelta::milliseconds(1)));
    assert!(!spraying.is_sprayed(network(1), end));
}

#[test]
fn only_distinct_names_count() {
    let spraying = spraying();
    for n in 0..1_000 {
        spraying.failed(network(1), &name(n % 15), START + TimeDelta::seconds(n.into()));
    }
    let now = START + TimeDelta::seconds(1_000);
    assert!(!spraying.is_sprayed(network(1), now));
    spraying.failed(network(1), &name(15), now);
    assert!(spraying.is_sprayed(network(1), now));
}

#[test]
fn the_hour_slides() {
    let spraying = spraying();
    // A new name each four minutes: 15 within any hour, and never a sixteenth.
    let at = |n: u32| START + TimeDelta::minutes((4 * n).into());
    for n in 0..100 {
        spraying.failed(network(1), &name(n), at(n));
        assert!(!spraying.is_sprayed(network(1), at(n)), "{n}");
    }
    // One a little earlier than that is the sixteenth within an hour.
    spraying.failed(network(1), &name(100), at(100) - TimeDelta::milliseconds(1));
    assert!(spraying.is_sprayed(network(1), at(100)));
}

#[test]
fn a_name_that_fails_again_counts_from_then_on() {
    let spraying = spraying();
    let half = START + TimeDelta::minutes(30);
    (0..15).for_each(|n| spraying.failed(network(1), &name(n), START));
    (0..15).for_each(|n| spraying.failed(network(1), &name(n), half));
    let now = START + TimeDelta::minutes(89);
    spraying.failed(network(1), &name(15), now);
    assert!(spraying.is_sprayed(network(1), now));
}

#[test]
fn each_block_is_twice_as_long_up_to_a_day() {
    let spraying = spraying();
    let mut now = START;
    for minutes in [15, 30, 60, 120, 240, 480, 960, 1440, 1440, 1440] {
        spray(&spraying, 1, now);
        assert_eq!(blocked_minutes(&spraying, 1, now), minutes);
        now += TimeDelta::minutes(minutes);
    }
}

#[test]
fn what_fails_during_a_block_neither_lengthens_it_nor_counts_later() {
    let spraying = spraying();
    spray(&spraying, 1, START);
    spray(&spraying, 1, START + TimeDelta::minutes(14));
    assert_eq!(blocked_minutes(&spraying, 1, START), 15);
    let end = START + TimeDelta::minutes(15);
    spraying.failed(network(1), &name(16), end);
    assert!(!spraying.is_sprayed(network(1), end));
}

#[test]
fn a_network_is_innocent_again_a_day_after_its_last_block() {
    let day = TimeDelta::hours(24);
    let end = START + TimeDelta::minutes(15);
    for (again, minutes) in [(end + day - TimeDelta::milliseconds(1), 30), (end + day, 15)] {
        let spraying = spraying();
        spray(&spraying, 1, START);
        // Sweeping changes nothing about it.
        spraying.sweep(again);
        spray(&spraying, 1, again);
        assert_eq!(blocked_minutes(&spraying, 1, again), minutes);
    }
}

#[test]
fn a_sweep_forgets_what_is_idle() {
    let spraying = spraying();
    spraying.failed(network(1), &name(0), START);
    spray(&spraying, 2, START);
    let held = |now| {
        spraying.sweep(now);
        spraying.lock().len()
    };
    assert_eq!(held(START + WINDOW - TimeDelta::milliseconds(1)), 2);
    assert_eq!(held(START + WINDOW), 1, "the blocked one");
    let innocent = START + FIRST_BLOCK + REMEMBERED;
    assert_eq!(held(innocent - TimeDelta::milliseconds(1)), 1);
    assert_eq!(held(innocent), 0);
}

#[test]
fn the_longest_idle_network_makes_room_and_one_that_goes_on_trying_stays() {
    // 10,000 names leave room for 319 networks.
    let spraying = Spraying::new(NonZeroU32::new(10_000).unwrap());
    let blocked = network(1_000);
    (0..=10_000).for_each(|n| spraying.failed(blocked, &name(n), START));
    for number in 0..318 {
        spraying.failed(network(number), &name(0), START);
    }
    assert!(spraying.is_sprayed(blocked, START));
    spraying.failed(network(318), &name(0), START);
    assert!(spraying.is_sprayed(blocked, START));
    let networks = spraying.lock();
    assert_eq!(networks.len(), 319);
    assert!(!networks.contains(&network(0)) && networks.contains(&network(1)));
}

#[test]
fn by_default_200_000_networks_are_watched() {
    assert_eq!(spraying().lock().cap().get(), 200_000);
}
