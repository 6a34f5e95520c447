use super::*;

/// 32 bytes of 7 and of 8, in base64.
const OLD: &str = "old:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const NEW: &str = "new:CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// "abc" and 72 times "x".
const OF_ABC: &str = "$2b$10$NeHvswkKPPVP0Y3u8KYwKuc5NDBVF/LR4duYlBiUSIOEEoVvv/90W";
const OF_72: &str = "$2a$10$N8YVVN1TwF4p2mJE5O8QeOQMeWUlEfmYTHKj495Fzv2e01oNtgYqG";

fn cost(cost: u32) -> Cost {
    Cost::new(cost).unwrap()
}

fn hashing(configured: u32, peppers: &[&str]) -> Hashing {
    Hashing::new(cost(configured), Peppers::parse(&peppers.join("\n")).unwrap())
}

fn import(hash: &str) -> Credential {
    Credential::parse(1, hash, None).unwrap()
}

fn verify(hashing: &Hashing, password: &str, credential: &Credential) -> (bool, u32) {
    hashing.verify(&password.into(), Some(credential), true)
}

#[test]
fn a_failure_is_as_much_work_as_one_hash_of_the_highest_cost_whatever_was_verified() {
    for highest in 10..=12 {
        for spent in std::iter::once(None).chain((10..=highest).map(Some)) {
            let spent = spent.map(cost);
            let decoys: u32 = decoys(spent, cost(highest)).into_iter().map(Cost::rounds).sum();
            let rounds = decoys + spent.map_or(0, Cost::rounds);
            assert_eq!(rounds, 1 << highest, "{spent:?}");
        }
    }
    assert_eq!(decoys(Some(cost(10)), cost(12)), [cost(10), cost(11)], "10 + 10 + 11 = 12");
}

#[test]
fn every_kind_of_failure_computes_the_same_and_a_success_one_hash() {
    let hashing = hashing(11, &[NEW]);
    let seasoned = hashing.hash(&"a password".into());
    let orphan = Credential::parse(2, OF_ABC, Some("old")).unwrap();
    let failures = [
        ("abc", None),
        ("abd", Some(import(OF_ABC))),
        ("abc\0abc", Some(import(OF_ABC))),
        (&*"x".repeat(73), Some(import(OF_72))),
        ("b password", Some(seasoned.clone())),
        ("abc", Some(orphan)),
        ("", None),
        (&"x".repeat(1024), Some(seasoned.clone())),
    ];
    for (password, credential) in failures {
        let result = hashing.verify(&password.into(), credential.as_ref(), true);
        assert_eq!(result, (false, 1 << 11), "{password} {credential:?}");
    }
    let disabled = hashing.verify(&"abc".into(), Some(&import(OF_ABC)), false);
    assert_eq!(disabled, (true, 1 << 11), "it fits and opens nothing");
    assert_eq!(verify(&hashing, "abc", &import(OF_ABC)), (true, 1 << 10));
    assert_eq!(verify(&hashing, "a password", &seasoned), (true, 1 << 11));
}

#[test]
fn only_the_whole_password_opens_an_imported_hash() {
    let hashing = hashing(10, &[NEW]);
    let full = "x".repeat(72);
    assert!(verify(&hashing, &full, &import(OF_72)).0);
    assert!(bcrypt::verify(format!("{full}x"), OF_72).unwrap(), "bcrypt alone would let it in");
    assert!(!verify(&hashing, &format!("{full}x"), &import(OF_72)).0);
    assert!(bcrypt::verify("abc\0abc", OF_ABC).unwrap(), "bcrypt alone would let it in");
    assert!(!verify(&hashing, "abc\0abc", &import(OF_ABC)).0);
}

#[test]
fn all_of_a_new_password_counts_whatever_its_length_and_its_characters() {
    let hashing = hashing(10, &[NEW]);
    let emoji = "🔑".repeat(64);
    for (password, other) in [
        (&*emoji, &*format!("{}🔒", "🔑".repeat(63))),
        ("a\0b", "a\0c"),
        (&"x".repeat(73), &"x".repeat(72)),
        ("", "\0"),
    ] {
        let credential = hashing.hash(&password.into());
        assert_eq!((credential.scheme(), credential.pepper_id()), (2, Some("new")));
        assert!(verify(&hashing, password, &credential).0, "{password}");
        assert!(!verify(&hashing, other, &credential).0, "{password}");
    }
}

#[test]
fn what_an_earlier_pepper_made_is_verified_and_outdated() {
    let made = hashing(10, &[OLD]).hash(&"a password".into());
    let rotated = hashing(10, &[NEW, OLD]);
    assert!(verify(&rotated, "a password", &made).0);
    assert!(rotated.is_outdated(&made));
    let again = rotated.hash(&"a password".into());
    assert!(verify(&rotated, "a password", &again).0);
    assert!(!rotated.is_outdated(&again));
    assert!(!verify(&hashing(10, &[NEW]), "a password", &made).0, "once the old one is gone");
}

#[test]
fn scheme_1_and_cheaper_hashes_are_outdated_and_dearer_ones_are_not() {
    let with = |hash: &str, scheme, pepper| Credential::parse(scheme, hash, pepper).unwrap();
    let at_12 = OF_ABC.replacen("$10$", "$12$", 1);
    for (configured, credential, outdated) in [
        (10, with(OF_ABC, 1, None), true),
        (10, with(OF_ABC, 2, Some("new")), false),
        (11, with(OF_ABC, 2, Some("new")), true),
        (11, with(&at_12, 2, Some("new")), false),
        (10, with(OF_ABC, 2, Some("old")), true),
    ] {
        let hashing = hashing(configured, &[NEW, OLD]);
        assert_eq!(hashing.is_outdated(&credential), outdated, "{configured} {credential:?}");
    }
}

#[test]
fn the_highest_cost_rises_to_what_is_stored_and_never_falls() {
    let hashing = hashing(10, &[NEW]);
    assert_eq!(hashing.highest_cost(), cost(10));
    hashing.cost_seen(cost(11));
    hashing.cost_seen(cost(10));
    assert_eq!(hashing.highest_cost(), cost(11));
    let at_12 = import(&OF_ABC.replacen("$10$", "$12$", 1));
    assert_eq!(verify(&hashing, "abd", &at_12), (false, 1 << 12), "not seen before");
    assert_eq!(hashing.verify(&"abd".into(), None, true), (false, 1 << 12), "seen now");
}
