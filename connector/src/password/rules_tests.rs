use super::*;

const WORDS: [&str; 3] = ["ada@lovelace.example", "ada", "Ada Lovelace"];

fn check(password: &str) -> Result<(), UnfitPassword> {
    PasswordRules { least: 15 }.check(password.to_owned().into(), &WORDS).map(drop)
}

#[test]
fn fifteen_characters_of_any_kind_are_taken_and_fourteen_are_not() {
    assert_eq!(check("fifteen letters"), Ok(()));
    assert_eq!(check("fourteen signs"), Err(UnfitPassword::TooShort(15)));
    assert_eq!(check("              "), Err(UnfitPassword::TooShort(15)));
    assert_eq!(check(&"🦀".repeat(15)), Ok(()));
    // Each is two characters and one after NFKC.
    assert_eq!(check(&"o\u{308}".repeat(14)), Err(UnfitPassword::TooShort(15)));
}

#[test]
fn a_thousand_and_twenty_four_bytes_are_taken_and_one_more_is_not() {
    assert_eq!(check(&"x".repeat(1024)), Ok(()));
    assert_eq!(check(&"x".repeat(1025)), Err(UnfitPassword::TooLong));
}

#[test]
fn what_is_little_more_than_its_owner_s_name_or_address_is_not_taken() {
    for password in ["ada@lovelace.example", "ADA LOVELACE 1815", "xADA@LOVELACE.EXAMPLE1"] {
        assert_eq!(check(password), Err(UnfitPassword::OfItsOwner), "{password}");
    }
    assert_eq!(check("ada lovelace and an engine"), Ok(()), "enough of it is not");
    assert_eq!(check("ada ada ada ada ada"), Ok(()), "three letters may be there by chance");
}

#[test]
fn no_password_looks_like_a_ticket_and_none_is_shown() {
    assert_eq!(check("lat1_and some more letters"), Err(UnfitPassword::Ticket));
    let taken = PasswordRules { least: 8 }.check("canary canary".to_owned().into(), &[]);
    assert!(!format!("{taken:?}").contains("canary"));
}
