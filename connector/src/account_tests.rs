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
        ("ali\u{200b}ce", "alice"),
        ("\u{feff}al\u{ad}ice", "alice"),
        ("نر\u{200c}گس", "نرگس"),
        ("❤\u{fe0f}", "❤"),
        ("e\u{34f}\u{301}", "\u{e9}"),
        ("u@M\u{fc}nchen.DE", "u@xn--mnchen-3ya.de"),
        ("U@XN--MNCHEN-3YA.de", "u@xn--mnchen-3ya.de"),
        ("u@xn--strae-oqa.de", "u@xn--strae-oqa.de"),
        ("u@stra\u{df}e.de", "u@xn--strae-oqa.de"),
        ("x\u{ff20}example\u{3002}com", "x@example.com"),
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
        ("\u{200b}\u{2060}", InvalidName::Empty),
        ("alice\u{202e}", InvalidName::Invisible),
        ("\u{200f}alice", InvalidName::Invisible),
        ("@", InvalidName::NotAnAddress),
        ("alice@exa mple.com", InvalidName::NotAnAddress),
        ("alice@example..com", InvalidName::NotAnAddress),
        (" \u{3000}\t", InvalidName::Empty),
        ("a\0b", InvalidName::ControlCharacter),
        ("a\u{7f}", InvalidName::ControlCharacter),
        (long.as_str(), InvalidName::TooLong),
        (grows.as_str(), InvalidName::TooLong),
    ] {
        assert_eq!(key(text), Err(reason), "{text:?}");
    }
}

/// Also for every character that folding knows of, between two letters and as a part of an address. Most
/// are ideographs and syllables, of which nothing becomes something else.
#[test]
fn the_key_of_a_key_is_itself_for_every_character_that_is_folded() {
    let all = ('\0'..='\u{1ffff}').chain('\u{e0000}'..='\u{e0fff}');
    for c in all.filter(|c| !c.is_control() && folded(*c)) {
        for text in [format!("a{c}b"), format!("a{c}@b{c}.example")] {
            let Ok(once) = key(&text) else { continue };
            assert_eq!(key(&once).as_deref(), Ok(once.as_str()), "U+{:04X}", u32::from(c));
        }
    }
}

fn folded(c: char) -> bool {
    key(&c.to_string()) != Ok(c.to_string())
}

#[test]
fn a_new_name_shows_what_it_is() {
    for name in [
        "Alice",
        "mary.jane-2 O'Neil",
        "עליזה",
        "Ёлка",
        "山田taro",
        "ひらがなカタカナ漢字",
        "김철수abc",
        "🦊",
    ] {
        assert_eq!(UserName::parse(name).unwrap().as_str(), name);
    }
    for (name, reason) in [
        ("ali\u{200b}ce", InvalidName::Invisible),
        ("alice\u{ad}", InvalidName::Invisible),
        ("\u{feff}alice", InvalidName::Invisible),
        ("alice\u{202e}", InvalidName::Invisible),
        ("a\u{3164}b", InvalidName::Invisible),
        ("alice\u{e000}", InvalidName::Invisible),
        ("\u{200b}", InvalidName::Invisible),
        ("\u{2800}", InvalidName::Empty),
        ("\u{301}", InvalidName::Empty),
        ("\u{430}lice", InvalidName::MixedScripts),
        ("al\u{456}ce", InvalidName::MixedScripts),
        ("\u{13aa}lice", InvalidName::MixedScripts),
        ("ali\u{3f2}e", InvalidName::MixedScripts),
    ] {
        assert_eq!(UserName::parse(name).unwrap_err(), reason, "{name:?}");
    }
    assert_eq!(UserName::parse("ａｌｉｃｅ").unwrap().as_str(), "alice", "as it is compared");
}

#[test]
fn an_address_is_kept_in_one_form() {
    for (text, kept) in [
        ("Alice@Example.COM", "Alice@example.com"),
        ("x\u{ff20}example.com", "x@example.com"),
        ("u@m\u{fc}nchen.de", "u@xn--mnchen-3ya.de"),
        ("u@mu\u{308}nchen.de", "u@xn--mnchen-3ya.de"),
        ("u@xn--mnchen-3ya.de", "u@xn--mnchen-3ya.de"),
        ("u_v+w@a_b.example", "u_v+w@a_b.example"),
        // A domain is of another script than the local part as a rule; its ASCII form misleads nobody.
        ("u@пример.рф", "u@xn--e1afmkfd.xn--p1ai"),
        ("u@ex\u{430}mple.com", "u@xn--exmple-4nf.com"),
    ] {
        assert_eq!(Email::parse(text).unwrap().as_str(), kept, "{text}");
    }
    for (text, reason) in [
        ("u@exam\u{200b}ple.com", InvalidName::Invisible),
        ("u\u{202e}@example.com", InvalidName::Invisible),
        ("\u{430}lice@example.com", InvalidName::MixedScripts),
        ("u@example.com.", InvalidName::NotAnAddress),
        ("u@[127.0.0.1]", InvalidName::NotAnAddress),
    ] {
        assert_eq!(Email::parse(text).unwrap_err(), reason, "{text:?}");
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
    for other in [
        "alice",
        "0190163D-8694-739B-AEA5-966C26F8AD91",
        "0190163d8694739baea5966c26f8ad91",
        "{0190163d-8694-739b-aea5-966c26f8ad91}",
        "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
        " 0190163d-8694-739b-aea5-966c26f8ad91",
    ] {
        assert_eq!(AccountId::parse(other), Err(InvalidAccountId), "{other}");
    }
}

#[test]
fn a_display_name_is_in_any_script_and_turns_nothing_around() {
    for name in [
        "Ada Lovelace",
        "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}",
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd}",
        "\u{1f469}\u{200d}\u{1f52c}",
        "",
    ] {
        assert_eq!(parse_full_name(&format!(" {name}\n")).as_deref(), Ok(name));
    }
    for name in
        ["Ada\u{202e}nimdA", "\u{2067}Ada", "Ada\u{200f}!", "Ada\u{2028}Admin", "Ada\u{7f}!", "A\0"]
    {
        assert!(parse_full_name(name).is_err(), "{name:?}");
    }
    assert!(parse_full_name(&"\u{e9}".repeat(127)).is_ok());
    assert!(parse_full_name(&"\u{e9}".repeat(128)).is_err());
}
