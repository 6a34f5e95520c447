use std::net::Ipv4Addr;

use super::*;

fn network(number: u32) -> Network {
    Network::of(Ipv4Addr::from_bits(number).into())
}

#[test]
fn a_network_is_written_of_once_a_minute() {
    let sampler = Sampler::new();
    let start = DateTime::UNIX_EPOCH;
    let written: Vec<i64> = (0..=180)
        .filter(|second| sampler.first_in_minute(network(1), start + TimeDelta::seconds(*second)))
        .collect();
    assert_eq!(written, [0, 60, 120, 180]);
    assert!(sampler.first_in_minute(network(2), start + TimeDelta::seconds(181)));
}

#[test]
fn the_longest_silent_network_is_forgotten_for_one_too_many() {
    let sampler = Sampler::new();
    let start = DateTime::UNIX_EPOCH;
    let most = u32::try_from(MOST_NETWORKS.get()).unwrap();
    assert!((0..=most).all(|number| sampler.first_in_minute(network(number), start)));
    assert!(!sampler.first_in_minute(network(1), start), "held");
    assert!(sampler.first_in_minute(network(0), start), "forgotten");
    assert_eq!(sampler.0.lock().unwrap().len(), MOST_NETWORKS.get());
}
