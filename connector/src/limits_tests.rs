use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use governor::clock::FakeRelativeClock;
use service_process::proxies::TrustedProxies;

use super::*;

/// More than any limit here takes a quarter of.
const PLENTY: f64 = 1e9;

/// The MAC of some name.
pub(super) fn name(number: u32) -> NameKey {
    let mut key = [0_u8; 32];
    key[..4].copy_from_slice(&number.to_be_bytes());
    key.into()
}

fn v4(number: u32) -> Network {
    Network::of(Ipv4Addr::from_bits(number).into())
}

/// The network `number` of the /48 `site`.
fn v6(site: u16, number: u16) -> Network {
    Network::of(Ipv6Addr::new(0x2001, 0xdb8, site, number, 0, 0, 0, 1).into())
}

fn rate(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn defaults() -> LimitSettings {
    LimitSettings {
        network_per_minute: rate(120),
        network_burst: rate(60),
        coarse_network_per_minute: rate(600),
        name_per_minute: rate(120),
    }
}

/// Limits, their clock, and a new name for each attempt that is not to meet the limit of names.
struct Fixture {
    limits: Limits<FakeRelativeClock>,
    clock: FakeRelativeClock,
    names: u32,
}

impl Fixture {
    fn new(settings: LimitSettings, hashes_per_minute: f64) -> Self {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(&settings, hashes_per_minute, &clock);
        Self { limits, clock, names: 1_000_000 }
    }

    fn admit(&mut self, network: Network) -> Admission {
        self.names += 1;
        self.limits.admit(Some(network), &name(self.names))
    }

    /// How many attempts get in until one does not, and how long that one is to wait.
    fn admitted(&mut self, network: Network) -> (u32, Duration) {
        for attempts in 0..10_000 {
            match self.admit(network) {
                Admission::Admitted => {}
                Admission::NetworkThrottled { retry_after } => return (attempts, retry_after),
                Admission::NameThrottled => panic!("each attempt has a name of its own"),
            }
        }
        panic!("no limit")
    }

    /// How many attempts on a name get in until one does not; each has a network of its own.
    fn admitted_on_name(&self, number: u32, first_network: u32) -> u32 {
        (0..10_000)
            .find(|n| {
                let network = v4(first_network + n * 256);
                self.limits.admit(Some(network), &name(number)) != Admission::Admitted
            })
            .unwrap()
    }

    fn admitted_without_address(&self, number: u32) -> u32 {
        (0..10_000).find(|_| self.limits.admit(None, &name(number)) != Admission::Admitted).unwrap()
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_network_has_60_attempts_at_once_and_120_a_minute() {
    let mut fixture = Fixture::new(defaults(), PLENTY);
    assert_eq!(fixture.admitted(v4(1)), (60, millis(500)));
    fixture.clock.advance(millis(499));
    assert_eq!(fixture.admitted(v4(1)), (0, millis(1)));
    fixture.clock.advance(millis(1));
    assert_eq!(fixture.admitted(v4(1)), (1, millis(500)));
    let in_a_minute: u32 = (0..120)
        .map(|_| {
            fixture.clock.advance(millis(500));
            fixture.admitted(v4(1)).0
        })
        .sum();
    assert_eq!(in_a_minute, 120);
    fixture.clock.advance(millis(60_000));
    assert_eq!(fixture.admitted(v4(1)), (60, millis(500)), "the burst does not add up");
    assert_eq!(fixture.admitted(v4(256)).0, 60, "another network has its own");
}

#[test]
fn ten_thousand_addresses_of_one_64_share_one_bucket() {
    let mut fixture = Fixture::new(defaults(), PLENTY);
    let admitted = (0..10_000_u128)
        .filter(|n| {
            let address = Ipv6Addr::from_bits((0x2001_0db8_u128 << 96) | (n << 40) | n);
            fixture.admit(Network::of(address.into())) == Admission::Admitted
        })
        .count();
    assert_eq!(admitted, 60);
    assert_eq!(fixture.limits.networks.keys(), 1);
}

#[test]
fn networks_of_one_48_share_300_attempts_at_once_and_600_a_minute() {
    let mut fixture = Fixture::new(defaults(), PLENTY);
    assert!((0..300).all(|n| fixture.admit(v6(1, n)) == Admission::Admitted));
    assert_eq!(fixture.admitted(v6(1, 300)), (0, millis(100)));
    assert_eq!(fixture.admitted(v6(2, 0)).0, 60, "another site has its own");
    fixture.clock.advance(millis(100));
    assert_eq!(fixture.admitted(v6(1, 301)), (1, millis(100)));
    let in_a_minute: u32 = (1000..1600)
        .map(|n| {
            fixture.clock.advance(millis(100));
            fixture.admitted(v6(1, n)).0
        })
        .sum();
    assert_eq!(in_a_minute, 600);
}

#[test]
fn addresses_of_one_24_share_a_coarse_network() {
    let mut fixture = Fixture::new(defaults(), PLENTY);
    let admitted: u32 = (0..256).map(|n| fixture.admitted(v4(n)).0).sum();
    assert_eq!(admitted, 300);
    assert_eq!(fixture.admitted(v4(256)).0, 60);
}

#[test]
fn a_coarse_network_gets_a_quarter_of_the_hashes_and_at_least_one_networks_burst() {
    for (hashes_per_minute, burst, wait) in [
        (2_400.0, 300, millis(100)), // 600 a minute
        (2_399.0, 300, Duration::from_nanos(60_000_000_000 / 599)),
        (960.0, 120, millis(250)),
        (480.0, 60, millis(500)),
        (189.0, 60, Duration::from_nanos(60_000_000_000 / 47)), // one core at cost 12
        (8.0, 60, millis(30_000)),
        (0.0, 60, millis(60_000)),
        (f64::NAN, 60, millis(60_000)),
        (f64::INFINITY, 300, millis(100)),
    ] {
        let mut fixture = Fixture::new(defaults(), hashes_per_minute);
        let admitted = (0..1_000).filter(|n| fixture.admit(v6(1, *n)) == Admission::Admitted);
        assert_eq!(admitted.count(), burst, "{hashes_per_minute}");
        assert_eq!(fixture.admitted(v6(1, 1_000)), (0, wait), "{hashes_per_minute}");
    }
}

#[test]
fn a_coarse_network_gets_a_quarter_of_the_hashes_that_can_be_computed_now() {
    let mut fixture = Fixture::new(defaults(), 2_400.0);
    fixture.limits.follow(960.0);
    let admitted = (0..1_000).filter(|n| fixture.admit(v6(1, *n)) == Admission::Admitted).count();
    assert_eq!(admitted, 120);
    // What was used up stays so while nothing changes.
    fixture.limits.follow(960.0);
    assert_eq!(fixture.admitted(v6(1, 1_000)), (0, millis(250)));
}

#[test]
fn a_name_has_60_attempts_at_once_and_120_a_minute_wherever_they_come_from() {
    let fixture = Fixture::new(defaults(), PLENTY);
    assert_eq!(fixture.admitted_on_name(1, 0), 60);
    fixture.clock.advance(millis(499));
    assert_eq!(fixture.admitted_on_name(1, 1 << 24), 0);
    fixture.clock.advance(millis(1));
    assert_eq!(fixture.admitted_on_name(1, 2 << 24), 1);
    assert_eq!(fixture.admitted_on_name(2, 3 << 24), 60, "another name has its own");
    assert_eq!(fixture.limits.admit(Some(v4(4 << 24)), &name(1)), Admission::NameThrottled);
}

#[test]
fn without_an_address_nothing_is_shared_and_a_name_has_half_its_limit() {
    let fixture = Fixture::new(defaults(), PLENTY);
    let proxies = TrustedProxies::parse("10.0.0.0/8").unwrap();
    let proxy: IpAddr = "10.1.2.3".parse().unwrap();
    assert!((0..10_000).all(|n| {
        let address = (n % 2 == 0).then_some(proxy);
        fixture.limits.admit(proxies.network_of(address), &name(n)) == Admission::Admitted
    }));
    assert_eq!(fixture.limits.networks.keys() + fixture.limits.coarse_networks().keys(), 0);

    let other = 10_001;
    assert_eq!(fixture.admitted_without_address(other), 30);
    assert_eq!(fixture.limits.admit(None, &name(other)), Admission::NameThrottled);
    fixture.clock.advance(millis(999));
    assert_eq!(fixture.admitted_without_address(other), 0);
    fixture.clock.advance(millis(1));
    assert_eq!(fixture.admitted_without_address(other), 1);
    assert_eq!(fixture.admitted_on_name(other, 0), 60, "those with an address lose nothing");
}

#[test]
fn a_refused_network_uses_up_no_name() {
    let mut fixture = Fixture::new(defaults(), PLENTY);
    assert_eq!(fixture.admitted(v4(0)).0, 60);
    let refused = Admission::NetworkThrottled { retry_after: millis(500) };
    assert!((0..1_000).all(|_| fixture.limits.admit(Some(v4(0)), &name(1)) == refused));
    assert_eq!(fixture.admitted_on_name(1, 1 << 24), 60);
}

#[test]
fn a_limit_of_one_lets_one_in() {
    let one = LimitSettings {
        network_per_minute: rate(1),
        network_burst: rate(1),
        coarse_network_per_minute: rate(1),
        name_per_minute: rate(1),
    };
    let mut fixture = Fixture::new(one, PLENTY);
    assert_eq!(fixture.admitted(v4(0)), (1, millis(60_000)));
    assert_eq!(fixture.admitted_on_name(1, 1 << 24), 1);
    assert_eq!(fixture.admitted_without_address(1), 1);
}

#[test]
fn a_million_networks_fill_the_tables_and_are_gone_two_minutes_later() {
    let fixture = Fixture::new(defaults(), PLENTY);
    let admit = |network: u32, number: u32| fixture.limits.admit(Some(v4(network)), &name(number));
    let keys = || {
        let Limits { networks, names, names_without_address, .. } = &fixture.limits;
        let coarse_networks = fixture.limits.coarse_networks();
        [networks.keys(), coarse_networks.keys(), names.keys(), names_without_address.keys()]
    };
    let most = 1_000_000;
    assert!((0..most).all(|n| admit(n * 256, n) == Admission::Admitted));
    assert_eq!(keys(), [MOST_KEYS, MOST_KEYS, MOST_KEYS, 0]);

    let full = Admission::NetworkThrottled { retry_after: SWEEP_EVERY };
    assert_eq!(admit(most * 256, 0), full, "a new network");
    assert_eq!(admit(0, most), Admission::NameThrottled, "a new name");
    assert_eq!(admit(0, 0), Admission::Admitted, "those that are held go on");
    assert_eq!(keys(), [MOST_KEYS, MOST_KEYS, MOST_KEYS, 0]);

    fixture.clock.advance(Duration::from_mins(2));
    fixture.limits.sweep();
    assert_eq!(keys(), [0; 4]);
    assert_eq!(admit(most * 256, most), Admission::Admitted);
}
