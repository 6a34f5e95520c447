use super::*;

fn key(text: &str) -> Result<String, InvalidName> {
    LoginName::parse(text).map(|name| name.key)
}

#[test]
fn spellings_of_one_name_have_one_key() {
    for (spelling, expected) in [
        ("Alice", "alice"),
        ("  alice\n", "alice"),
        ("ＡＬＩＣＥ", "alice"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("e\u{301}mile", "\u{e9}mile"),
        ("\u{c9}MILE", "\u{e9}mile"),
        ("Alice@Example.COM", "alice@example.com"),
        ("\u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}", "σίσυφοσ"),
        ("ﬁnn", "finn"),
    ] {
        assert_eq!(key(spelling).as_deref(), Ok(expected), "{spelling}");
    }
}

#[test]
fn homoglyphs_of_other_scripts_are_other_names() {
    assert_ne!(key("alice"), key("аlice"));
}

#[test]
fn the_key_of_a_key_is_itself() {
    for text in ["Straße", "\u{1e9e}", "\u{345}", "\u{1fb3}", "ǅ", "㎏", "\u{fdfa}", "İ", "ŉ"]
    {
        let once = key(text).unwrap();
        assert_eq!(key(&once).as_deref(), Ok(once.as_str()), "{text}");
    }
}

#[test]
fn what_cannot_be_a_name_is_refused_with_its_reason() {
    let long = "é".repeat(128);
    let grows = "\u{fdfa}".repeat(30);
    for (text, reason) in [
        ("", InvalidName::Empty),
        (" \u{3000}\t", InvalidName::Empty),
        ("a\0b", InvalidName::ControlCharacter),
        ("a\u{7f}", InvalidName::ControlCharacter),
        (long.as_str(), InvalidName::TooLong),
        (grows.as_str(), InvalidName::TooLong),
    ] {
        assert_eq!(key(text), Err(reason), "{text:?}");
    }
}

#[test]
fn a_user_name_is_no_address() {
    assert_eq!(UserName::parse("alice@example.com"), Err(InvalidName::AtSign));
    assert_eq!(UserName::parse("alice\u{ff20}example.com"), Err(InvalidName::AtSign));
    assert_eq!(UserName::parse(" Alice ").unwrap().as_str(), "Alice");
}

#[test]
fn an_address_has_two_parts() {
    assert_eq!(Email::parse("Alice@Example.com").unwrap().key(), "alice@example.com");
    for text in ["alice", "@example.com", "alice@", "a@b@c", "a b@example.com", "a@exa mple.com"] {
        assert_eq!(Email::parse(text), Err(InvalidName::NotAnAddress), "{text}");
    }
}

#[test]
fn a_login_name_never_shows_what_was_typed() {
    assert!(!format!("{:?}", LoginName::parse("my-password").unwrap()).contains("my-password"));
}

#[test]
fn an_account_id_is_a_uuid() {
    let text = "0190163d-8694-739b-aea5-966c26f8ad91";
    assert_eq!(AccountId::parse(text).unwrap().to_string(), text);
    assert_eq!(AccountId::parse("alice"), Err(InvalidAccountId));
}
