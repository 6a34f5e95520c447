use super::*;

fn network(address: &str) -> Network {
    Network::of(address.parse().unwrap())
}

#[test]
fn a_network_is_a_32_of_ipv4_and_a_64_of_ipv6() {
    for (address, shown, coarse) in [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("255.255.255.255", "255.255.255.255/32", "255.255.255.0/24"),
        ("0.0.0.0", "0.0.0.0/32", "0.0.0.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("2001:db8::1", "2001:db8::/64", "2001:db8::/48"),
        ("::1", "::/64", "::/48"),
        ("ffff:ffff:ffff:ffff:ffff::", "ffff:ffff:ffff:ffff::/64", "ffff:ffff:ffff::/48"),
    ] {
        assert_eq!(network(address).to_string(), shown);
        assert_eq!(network(address).coarse().to_string(), coarse);
        assert_eq!(network(address).coarse().coarse(), network(address).coarse(), "{address}");
    }
    assert_eq!(size_of::<Network>(), 16, "tables are sized for it");
}

#[test]
fn a_mapped_ipv4_address_is_an_ipv4_address() {
    assert_eq!(network("::ffff:203.0.113.7"), network("203.0.113.7"));
    assert_ne!(network("::ffff:203.0.113.8"), network("203.0.113.7"));
    // Compatible is not mapped (RFC 4291 §2.5.5.1): an ordinary address of ::/64.
    assert_eq!(network("::203.0.113.7").to_string(), "::/64");
}

#[test]
fn neighbours_share_what_is_shared_and_nothing_else() {
    assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:ffff:ffff:ffff"));
    assert_ne!(network("2001:db8::"), network("2001:db8:0:1::"));
    assert_eq!(network("2001:db8::").coarse(), network("2001:db8:0:ffff::").coarse());
    assert_ne!(network("2001:db8::").coarse(), network("2001:db8:1::").coarse());
    assert_ne!(network("203.0.113.7"), network("203.0.113.8"));
    assert_eq!(network("203.0.113.0").coarse(), network("203.0.113.255").coarse());
    assert_ne!(network("203.0.113.255").coarse(), network("203.0.114.0").coarse());
    assert_ne!(network("0.0.0.0"), network("::"), "families do not meet");
    assert_ne!(network("0.0.0.0").coarse(), network("0.0.0.0"), "nor do lengths");
}
