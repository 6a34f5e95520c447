use secrecy::ExposeSecret as _;

use super::{digest, holds};

const KEPT: &str = "1E4C9B93F3F0682250B6CF8331B7EE68FD8";

#[test]
fn the_digest_is_that_of_the_lists() {
    // "password", which every such list has (RFC 3174's SHA-1).
    let digits = digest(&"password".into());
    assert_eq!(digits.expose_secret(), &format!("5BAA6{KEPT}"));
    assert_eq!(digest(&"ｐassword".into()).expose_secret(), digits.expose_secret(), "after NFKC");
}

#[test]
fn a_range_holds_what_it_counts() {
    let other = "0018A45C4D1DEF81644B54AB7F969B88D65:10\r\n";
    for (line, held) in [
        (format!("{KEPT}:3"), true),
        (format!("{}:3\r\n", KEPT.to_lowercase()), true),
        (format!("{KEPT}:0"), false),
        (String::new(), false),
    ] {
        assert_eq!(holds(&format!("{other}{line}"), KEPT).ok(), Some(held), "{line:?}");
    }
}

#[test]
fn what_is_no_range_is_no_answer() {
    for range in ["<html>", KEPT, &format!("{KEPT}:many"), "ABC:1", &format!("{KEPT}:1\n\n")] {
        assert!(holds(range, KEPT).is_err(), "{range:?}");
    }
}
