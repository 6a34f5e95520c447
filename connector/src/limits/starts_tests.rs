use std::net::{Ipv4Addr, Ipv6Addr};

use governor::clock::FakeRelativeClock;

use super::*;

fn limits() -> (FlowLimits<FakeRelativeClock>, FakeRelativeClock) {
    let rate = |number| NonZeroU32::new(number).unwrap();
    let rates = FlowRates { network_per_hour: rate(60), coarse_network_per_hour: rate(240) };
    let clock = FakeRelativeClock::default();
    (FlowLimits::with_clock(rates, &clock), clock)
}

fn v4(number: u32) -> Network {
    Network::of(Ipv4Addr::from_bits(0x0a00_0000 + number).into())
}

fn admitted(
    limits: &FlowLimits<FakeRelativeClock>,
    networks: impl Iterator<Item = impl Into<Option<Network>>>,
) -> usize {
    networks.filter_map(|network| limits.admit(network.into()).ok()).count()
}

#[test]
fn a_network_begins_thirty_flows_at_once_and_then_one_a_minute() {
    let (limits, clock) = limits();
    assert_eq!(admitted(&limits, (0..100).map(|_| v4(1))), 30);
    assert!(limits.admit(Some(v4(1))).unwrap_err() <= Duration::from_mins(1));
    clock.advance(Duration::from_mins(1));
    assert_eq!(admitted(&limits, (0..100).map(|_| v4(1))), 1);
    assert_eq!(admitted(&limits, (0..100).map(|_| v4(2))), 30, "another has its own");
}

#[test]
fn the_networks_of_a_site_together_begin_four_times_as_many() {
    let (limits, _) = limits();
    assert_eq!(admitted(&limits, (0..250).map(v4)), 120);
    let hosts =
        (0..250).map(|host| Network::of(Ipv6Addr::new(0x2001, 0xdb8, 0, host, 0, 0, 0, 1).into()));
    assert_eq!(admitted(&limits, hosts), 120);
    assert_eq!(limits.starts.fine.1.keys(), 240, "nobody is entered who is not let in");
}

#[test]
fn a_flow_that_comes_from_nowhere_is_good_for_ten_hashes() {
    let (limits, _) = limits();
    let [flow, other] = [[1_u8; 20], [2; 20]].map(|token| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, token);
        FlowToken::parse(&text).unwrap()
    });
    assert_eq!((0..100).filter(|_| limits.admit_hash(&flow).is_ok()).count(), 10);
    assert_eq!((0..100).filter(|_| limits.admit_hash(&other).is_ok()).count(), 10);
}

#[test]
fn a_network_takes_twenty_steps_for_each_flow_that_it_may_begin() {
    let (limits, clock) = limits();
    let steps = |count: u32| (0..count).filter(|_| limits.admit_step(Some(v4(1))).is_ok()).count();
    assert_eq!(steps(1_000), 600);
    clock.advance(Duration::from_mins(1));
    assert_eq!(steps(1_000), 20);
    assert_eq!(admitted(&limits, (0..100).map(|_| v4(1))), 30, "and begins as many as before");
    assert!((0..1_000).all(|_| limits.admit_step(None).is_ok()));
}

#[test]
fn who_comes_from_nowhere_has_no_limit_and_uses_up_nobody_s() {
    let (limits, _) = limits();
    assert_eq!(admitted(&limits, (0..1_000).map(|_| None::<Network>)), 1_000);
    assert_eq!(admitted(&limits, (0..100).map(|_| v4(1))), 30);
}

#[test]
fn a_network_whose_hour_is_over_is_forgotten() {
    let (limits, clock) = limits();
    admitted(&limits, (0..100).map(v4));
    limits.sweep();
    assert_eq!(limits.starts.fine.1.keys(), 100);
    clock.advance(Duration::from_hours(1));
    limits.sweep();
    let Pair { fine, coarse } = &limits.starts;
    assert_eq!((fine.1.keys(), coarse.1.keys()), (0, 0));
}
