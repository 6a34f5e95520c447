use std::collections::BTreeSet;

use auth_connector::account::LoginName;
use service_process::network::Network;

use super::*;

#[test]
fn every_spelling_leads_to_one_of_the_two_names() {
    let keys: BTreeSet<String> = (0..SPELLINGS)
        .map(|n| LoginName::parse(&spelling(n)).expect("a name").key().to_owned())
        .collect();
    assert_eq!(keys, BTreeSet::from(["victim".to_owned(), "victim@example.com".to_owned()]));
}

#[test]
fn no_two_guesses_come_from_one_network_and_few_from_none() {
    let networks = Networks::default();
    let addresses: Vec<String> = (0..10_000)
        .map(|n| guess(n, &networks).attempt.address)
        .filter(|at| !at.is_empty())
        .collect();
    let distinct: BTreeSet<String> = addresses
        .iter()
        .map(|address| Network::of(address.parse().expect("an address")).coarse().to_string())
        .collect();
    assert_eq!(distinct.len(), addresses.len());
    assert_eq!(10_000 - addresses.len(), 20);
}

#[test]
fn each_spelling_meets_each_password() {
    let networks = Networks::default();
    let pairs: BTreeSet<(String, usize)> = (0..1000)
        .map(|n| guess(n, &networks).attempt)
        .map(|attempt| (attempt.name, attempt.password.len()))
        .filter(|(_, length)| [0, 72, 73, 1024, 1025].contains(length))
        .collect();
    assert_eq!(pairs.len(), 5 * SPELLINGS as usize);
}

#[test]
fn no_stray_name_is_one_of_the_account_s() {
    let networks = Networks::default();
    for n in 0..6 {
        let key = LoginName::parse(&stray(n, &networks).attempt.name);
        let key = key.map(|name| name.key().to_owned()).unwrap_or_default();
        assert!(key != "victim" && key != "victim@example.com", "{n}");
    }
}
