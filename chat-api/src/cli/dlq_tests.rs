use super::*;

#[test]
fn a_place_is_a_partition_and_an_offset() {
    assert_eq!(RecordOffset::parse("3:4711").unwrap().to_string(), "3:4711");
    for text in ["", "3", "3:", ":4711", "-1:0", "0:-1", "a:b", "1:2:3", "0:281474976710656"] {
        assert!(RecordOffset::parse(text).is_err(), "{text}");
    }
}

#[test]
fn only_what_is_not_seen_is_escaped() {
    let reason = "the key is not the envelope's \"room\"";
    assert_eq!(plain(reason), reason);
    assert_eq!(plain("\u{1b}[2J\u{202e}\n"), r"\u{1b}[2J\u{202e}\n");
    assert_eq!(plain(r"\u{1b}"), r"\\u{1b}", "an escape of its own is told apart");
}
