use super::*;

/// Whether somebody of that name is found by what was typed, as the index finds it.
fn finds(typed: &str, name: &str) -> bool {
    let Some(prefix) = NamePrefix::of(typed) else { return false };
    let behind = prefix.behind();
    name_keys(name).iter().any(|key| prefix.first() <= &**key && **key < *behind)
}

#[test]
fn a_name_is_found_by_the_beginning_of_any_word_however_it_is_written() {
    for (typed, name) in [
        ("ada", "Ada Lovelace"),
        ("LOVE", "Ada Lovelace"),
        ("ada  lov", "Ada Lovelace"),
        ("zoe", "Zoë Müller"),
        ("ZOË mul", "Zoe\u{308} Mu\u{308}ller"),
        ("muller", "Zoë MÜLLER"),
        ("strasse", "Karl Straße"),
        ("STRAẞE", "Karl Strasse"),
        ("luc", "Jean-Luc Picard"),
        ("jean luc", "Jean-Luc Picard"),
        ("o'b", "Miles O’Brien"),
        ("ｆｕｌｌ", "Full Width"),
        ("ﬁ", "Filip Fišer"),
        ("Αθη", "Αθηνά Παππά"),
        ("παππα", "Αθηνά Παππά"),
        ("σασ", "Σάς"),
        ("иван", "ИВАН Йорданов"),
        ("한", "한국인"),
        ("か", "がくと"),
        ("علیرضا", "علی\u{200c}رضا"),
        ("na", "na\u{ad}tasha"),
        ("🦄", "🦄 Club"),
        ("2", "Agent 2"),
    ] {
        assert!(finds(typed, name), "{typed} {name}: {:?}", name_keys(name));
    }
    for (typed, name) in [
        ("da", "Ada Lovelace"),
        ("ada b", "Ada Lovelace"),
        ("lovelace ada", "Ada Lovelace"),
        ("adam", "Ada Lovelace"),
        ("ada", "Аda"),
        ("b", "Ada"),
    ] {
        assert!(!finds(typed, name), "{typed} {name}: {:?}", name_keys(name));
    }
}

#[test]
fn what_no_name_begins_with_is_nothing_to_look_for() {
    for typed in ["", " ", "\u{301}", "...", "\u{200b}", "\0", "-'\t", "\u{e000}"] {
        assert_eq!(NamePrefix::of(typed), None, "{typed:?}");
    }
    assert!(name_keys("…").is_empty());
}

#[test]
fn keys_are_bounded_whatever_somebody_is_called() {
    // As long as names are, and the character that becomes the most.
    let names = ["a ".repeat(64), "ﷺ".repeat(128), "x".repeat(128), "🦄".repeat(128)];
    for name in names {
        let keys = name_keys(&name);
        let longest = keys.iter().map(|key| key.chars().count()).max().unwrap();
        assert!(longest <= 64, "{longest} of {name}");
        assert!(keys.len() <= 64, "{} of {name}", keys.len());
        assert!(finds(&name, &name), "{name}");
    }
    assert_eq!(name_keys("ha ha ha"), ["ha", "ha ha", "ha ha ha"]);
    assert_eq!(name_keys("Ada Ada"), ["ada", "ada ada"]);
}

#[test]
fn an_address_is_one_however_it_is_written_and_is_never_shown() {
    let key = EmailKey::parse("Ada.Lovelace@Example.ORG");
    assert!(key.is_some());
    for same in
        [" ada.lovelace@example.org ", "ADA.LOVELACE@EXAMPLE.ORG", "ada.\u{ad}lovelace@example.org"]
    {
        assert_eq!(EmailKey::parse(same), key, "{same}");
    }
    for other in ["ada@example.org", "adalovelace@example.org", "áda.lovelace@example.org"] {
        assert_ne!(EmailKey::parse(other), key, "{other}");
    }
    for none in ["", "ada", &format!("{}@example.org", "a".repeat(243))] {
        assert_eq!(EmailKey::parse(none), None, "{none}");
    }
    assert_eq!(format!("{key:?}"), "Some(EmailKey(…))");
}
