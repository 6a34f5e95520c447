use super::*;

#[test]
fn nobody_and_a_proxy_have_no_network() {
    let proxies = TrustedProxies::parse("10.0.0.0/8, fd00::/8,192.0.2.7/32").unwrap();
    let network_of = |address: &str| proxies.network_of(Some(address.parse().unwrap()));
    assert_eq!(proxies.network_of(None), None);
    for proxy in ["10.0.0.0", "10.255.255.255", "192.0.2.7", "fd12::1", "::ffff:10.1.2.3"] {
        assert_eq!(network_of(proxy), None, "{proxy}");
    }
    for other in ["9.255.255.255", "11.0.0.0", "192.0.2.8", "fe00::", "::ffff:11.0.0.0", "::"] {
        assert_eq!(network_of(other), Some(Network::of(other.parse().unwrap())), "{other}");
    }
}

#[test]
fn without_proxies_every_address_has_a_network() {
    for text in ["", " "] {
        let proxies = TrustedProxies::parse(text).unwrap();
        assert_eq!(proxies.network_of(None), None);
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        assert_eq!(proxies.network_of(Some(address)), Some(Network::of(address)));
    }
}

#[test]
fn what_is_no_list_of_networks_is_refused_with_the_reason() {
    for (text, reason) in [
        ("10.0.0.1", "\"10.0.0.1\" is not a network such as 10.0.0.0/8 or fd00::/8"),
        ("10.0.0.0/8,", "\"\" is not a network such as 10.0.0.0/8 or fd00::/8"),
        ("10.0.0.0/33", "\"10.0.0.0/33\" is not a network such as 10.0.0.0/8 or fd00::/8"),
        ("proxy/8", "\"proxy/8\" is not a network such as 10.0.0.0/8 or fd00::/8"),
        ("10.0.0.0/8,::/0", "::/0 is every address"),
        ("::ffff:10.0.0.0/104", "::ffff:10.0.0.0/104 must be written as an IPv4 network"),
    ] {
        assert_eq!(TrustedProxies::parse(text).unwrap_err().to_string(), reason);
    }
}

#[test]
fn a_proxy_is_believed_and_nobody_else() {
    let proxies = TrustedProxies::parse("10.0.0.0/8").unwrap();
    let name = HeaderName::from_static("x-real-ip");
    let caller = |peer: &str, said: &[&str]| {
        let mut headers = HeaderMap::new();
        for address in said {
            headers.append(&name, address.parse().unwrap());
        }
        let peer = Some(peer.parse().unwrap());
        proxies.caller(peer, &headers, &name).map(|address| address.to_string())
    };
    for (peer, said, whose) in [
        ("203.0.113.7", &["198.51.100.1"][..], Some("203.0.113.7")),
        ("::ffff:203.0.113.7", &[], Some("203.0.113.7")),
        ("10.1.2.3", &["198.51.100.1"], Some("198.51.100.1")),
        ("::ffff:10.1.2.3", &[" 2001:db8::1 "], Some("2001:db8::1")),
        ("10.1.2.3", &["::ffff:198.51.100.1"], Some("198.51.100.1")),
        ("10.1.2.3", &[], None),
        ("10.1.2.3", &["10.9.9.9"], None),
        ("10.1.2.3", &["198.51.100.1", "198.51.100.1"], None),
        ("10.1.2.3", &["198.51.100.1, 10.1.2.3"], None),
        ("10.1.2.3", &["person"], None),
        ("10.1.2.3", &[""], None),
    ] {
        assert_eq!(caller(peer, said).as_deref(), whose, "{peer} {said:?}");
    }
    assert_eq!(proxies.caller(None, &HeaderMap::new(), &name), None);
}

#[test]
fn a_header_that_callers_write_into_cannot_be_a_proxys() {
    for (text, reason) in [
        ("", "expected the name of a header, such as X-Real-IP"),
        ("X Real", "expected the name of a header, such as X-Real-IP"),
        (
            "X-Forwarded-For",
            "a list to which each proxy adds; name a header that yours overwrites with one address",
        ),
        (
            "forwarded",
            "a list to which each proxy adds; name a header that yours overwrites with one address",
        ),
    ] {
        assert_eq!(parse_proxy_header(text).unwrap_err().to_string(), reason);
    }
    assert_eq!(parse_proxy_header("X-Real-IP").unwrap(), "x-real-ip");
}
