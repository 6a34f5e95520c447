use super::*;

fn cheapest() -> Cost {
    Cost::new(10).unwrap()
}

/// "abc", hashed by the C library that Python uses.
const OF_ABC: &str = "$2b$10$NeHvswkKPPVP0Y3u8KYwKuc5NDBVF/LR4duYlBiUSIOEEoVvv/90W";

#[test]
fn what_is_no_acceptable_hash_is_refused_with_its_reason() {
    let good = StoredHash::of("a password", cheapest()).0;
    assert!(StoredHash::parse(&good).is_ok());
    for (text, reason) in [
        (String::new(), InvalidHash::Version),
        ("secret".to_owned(), InvalidHash::Version),
        (good.replacen("$2b$", "$2x$", 1), InvalidHash::Version),
        (good.replacen("$10$", "$09$", 1), InvalidHash::Cost),
        (good.replacen("$10$", "$13$", 1), InvalidHash::Cost),
        (good.replacen("$10$", "$31$", 1), InvalidHash::Cost),
        (good.replacen("$10$", "$1x$", 1), InvalidHash::Shape),
        (good[..59].to_owned(), InvalidHash::Shape),
        (format!("{good}a"), InvalidHash::Shape),
        (format!("{}é", &good[..58]), InvalidHash::Shape),
    ] {
        assert_eq!(StoredHash::parse(&text), Err(reason), "{text}");
    }
}

#[test]
fn all_three_notations_are_verified() {
    let hash = StoredHash::of("a password", cheapest()).0;
    for version in ["$2a$", "$2b$", "$2y$"] {
        let stored = StoredHash::parse(&hash.replacen("$2b$", version, 1)).unwrap();
        assert!(stored.verify("a password"), "{version}");
        assert!(!stored.verify("b password"), "{version}");
    }
}

#[test]
fn a_hash_of_another_implementation_is_verified() {
    let stored = StoredHash::parse(OF_ABC).unwrap();
    assert!(stored.verify("abc"));
    assert!(!stored.verify("abd"));
}

#[test]
fn only_the_whole_password_counts() {
    let full = "x".repeat(72);
    let stored = StoredHash::of(&full, cheapest());
    assert!(stored.verify(&full));
    assert!(!stored.verify(&format!("{full}x")), "73 bytes that begin alike");
    let short = StoredHash::of("abc", cheapest());
    assert!(!short.verify("abc\0abc"), "a NUL ends what bcrypt reads");
}

#[test]
fn a_hash_is_never_shown() {
    let stored = StoredHash::of("a password", cheapest());
    assert!(!format!("{stored:?}").contains("$2"));
}
