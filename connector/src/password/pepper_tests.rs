use super::*;

/// 32 bytes of 7, in base64.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

fn refused(text: &str) -> InvalidPeppers {
    Peppers::parse(text).map(|peppers| peppers.current.id).unwrap_err()
}

#[test]
fn the_first_line_is_current_and_the_others_are_still_accepted() {
    let text = format!("# made in 2026\n\n 2026-b : {KEY} \r\n2026-a:{KEY}\n");
    let peppers = Peppers::parse(&text).unwrap();
    assert_eq!(peppers.current_id(), "2026-b");
    assert!(peppers.season("a password", "2026-b").is_some());
    assert!(peppers.season("a password", "2026-a").is_some());
    assert!(peppers.season("a password", "2025").is_none());
}

#[test]
fn a_fault_is_named_by_its_line_and_never_repeated() {
    let good = format!("a:{KEY}");
    for (line, reason) in [
        (KEY.to_owned(), InvalidPepper::Shape),
        (format!(":{KEY}"), InvalidPepper::Id),
        (format!("Canary:{KEY}"), InvalidPepper::Id),
        (format!("{}:{KEY}", "a".repeat(33)), InvalidPepper::Id),
        (format!("a:{KEY}"), InvalidPepper::Repeated),
        ("b:canary!".to_owned(), InvalidPepper::Key(InvalidKey::Encoding)),
        ("b:BwcH".to_owned(), InvalidPepper::Key(InvalidKey::Length)),
    ] {
        let error = refused(&format!("# first\n{good}\n{line}\n"));
        assert_eq!(error, InvalidPeppers::Line { line: 3, reason }, "{line}");
        let shown = format!("{error} {error:?}").to_lowercase();
        assert!(!shown.contains("canary") && !shown.contains("bwc"), "{shown}");
    }
    assert_eq!(refused("# nothing\n\n"), InvalidPeppers::Empty);
    assert_eq!(refused(""), InvalidPeppers::Empty);
}

#[test]
fn bcrypt_gets_64_characters_of_an_hmac_whatever_the_password() {
    let peppers = Peppers::parse(&format!("a:{KEY}")).unwrap();
    let season = |password: &str| peppers.season(password, "a").unwrap().expose_secret().to_owned();
    // Python: base64.b64encode(hmac.digest(bytes([7]) * 32, b"a password", "sha384"))
    assert_eq!(
        season("a password"),
        "1svRPUA2lowPWQx6AIJSdokf9l7YJ9Y9oHWP77Wmodkl/SOwOk1TAAtUzoJuX5Dr"
    );
    for password in ["", "a\0b", &"x".repeat(1024), &"🔑".repeat(64)] {
        assert_eq!(season(password).len(), 64, "{password}");
    }
    assert_ne!(season("a\0b"), season("a\0c"));
    assert_eq!(season("ﬁ"), season("fi"), "a ligature");
    assert_eq!(season("e\u{301}"), season("é"), "composed and decomposed");
}

#[test]
fn a_pepper_is_never_shown() {
    let shown = format!("{:?}", Peppers::parse(&format!("a:{KEY}")).unwrap());
    assert!(!shown.contains('7') && !shown.contains("Bwc"), "{shown}");
}
