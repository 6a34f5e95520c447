use super::*;

fn guests(proxies: &str) -> Arc<Guests> {
    let proxies = TrustedProxies::parse(proxies).unwrap();
    let header = HeaderName::from_static("x-real-ip");
    Arc::new(Guests::new(Some(Entrance { proxies, header })))
}

fn network(address: &str) -> Network {
    Network::of(address.parse().unwrap())
}

#[test]
fn a_network_has_twenty_places_and_each_is_given_back() {
    let guests = guests("");
    let (here, there) = (network("203.0.113.7"), network("203.0.113.8"));
    let mut seats: Vec<GuestSeat> = (0..20).map(|_| guests.admit(here).unwrap()).collect();
    assert!(guests.admit(here).is_none());
    assert_eq!(guests.admit(there).unwrap().network(), there, "others have their own");
    seats.pop();
    seats.push(guests.admit(here).unwrap());
    assert!(guests.admit(here).is_none());
    drop(seats);
    assert!(guests.lock().is_empty(), "who is gone is forgotten");
}

#[test]
fn the_addresses_of_one_subscriber_share_their_places() {
    let guests = guests("");
    let seats: Vec<Option<GuestSeat>> =
        (0..30).map(|host| guests.admit(network(&format!("2001:db8::{host:x}")))).collect();
    assert_eq!(seats.iter().flatten().count(), 20);
}

#[test]
fn a_guest_is_counted_where_it_comes_from_and_not_at_all_where_nobody_can_tell() {
    let headers = |said: Option<&str>| -> HeaderMap {
        let said = said.map(|said| (HeaderName::from_static("x-real-ip"), said.parse().unwrap()));
        said.into_iter().collect()
    };
    let of = |guests: &Guests, peer: &str, said: Option<&str>| {
        guests.network_of(Some(peer.parse().unwrap()), &headers(said))
    };
    let guests = guests("10.0.0.0/8");
    let there = Some(network("198.51.100.1"));
    assert_eq!(of(&guests, "10.1.2.3:4711", Some("198.51.100.1")), there);
    assert_eq!(of(&guests, "198.51.100.1:4711", Some("203.0.113.7")), there, "no proxy of ours");
    assert_eq!(of(&guests, "10.1.2.3:4711", None), None);
    assert_eq!(guests.network_of(None, &headers(Some("203.0.113.7"))), None);
    assert_eq!(of(&Guests::new(None), "198.51.100.1:4711", None), None, "guests are not let in");
}
