use chrono::DateTime;

use super::*;

const FLOW: Binding<'static> = Binding { purpose: "flow", client_id: "accounts", subject: "" };
const OLD: &str = "old:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "new:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

/// A clock that stands, and dice that always fall alike.
const SOURCES: Sources = Sources { now: || DateTime::UNIX_EPOCH, random: || [7; 10] };

fn sealer(lines: &[&str]) -> Sealer {
    Sealer::parse(&lines.join("\n")).unwrap()
}

#[test]
fn what_was_sealed_can_be_opened_and_not_be_read_or_changed() {
    let sealer = sealer(&[OLD]);
    let cookie = sealer.seal(FLOW, b"a secret", SOURCES);
    assert_eq!(sealer.open(FLOW, &cookie).as_deref(), Some(&b"a secret"[..]));
    assert!(!cookie.contains("secret") && cookie.starts_with("old."), "{cookie}");
    for n in 0..cookie.len() {
        let mut changed = cookie.clone().into_bytes();
        changed[n] = if changed[n] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(sealer.open(FLOW, &changed), None, "{changed}");
        assert_eq!(sealer.open(FLOW, &cookie[..n]), None);
    }
}

#[test]
fn what_was_sealed_for_one_thing_opens_nothing_else() {
    let sealer = sealer(&[OLD]);
    let cookie = sealer.seal(FLOW, b"a secret", SOURCES);
    for other in [
        Binding { purpose: "session", ..FLOW },
        Binding { client_id: "chat-web", ..FLOW },
        Binding { subject: "alice", ..FLOW },
        // The same characters, divided another way.
        Binding { purpose: "flowa", client_id: "ccounts", subject: "" },
        Binding { purpose: "flow", client_id: "", subject: "accounts" },
    ] {
        assert_eq!(sealer.open(other, &cookie), None, "{other:?}");
    }
}

#[test]
fn a_key_is_replaced_in_two_steps_without_signing_anybody_out() {
    let steps = [sealer(&[OLD]), sealer(&[OLD, NEW]), sealer(&[NEW, OLD])];
    // While a step is rolled out, replicas of before and after it run side by side.
    for pair in steps.windows(2) {
        for (by, at) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
            let cookie = by.seal(FLOW, b"a secret", SOURCES);
            assert_eq!(at.open(FLOW, &cookie).as_deref(), Some(&b"a secret"[..]));
        }
    }
    assert_eq!(steps[2].current_id(), "new");
}

#[test]
fn what_a_key_sealed_that_is_gone_is_nothing() {
    let sealed = sealer(&[OLD]).seal(FLOW, b"a secret", SOURCES);
    assert_eq!(sealer(&[NEW]).open(FLOW, &sealed), None);
    // Another key under the same id.
    let other = NEW.replace("new", "old");
    assert_eq!(sealer(&[&other]).open(FLOW, &sealed), None);
}

#[test]
fn what_is_no_seal_is_nothing() {
    let sealer = sealer(&[OLD]);
    let long = format!("old.{}", "A".repeat(10_000));
    for text in
        ["", ".", "old", "old.", "old.AAAA", ".AAAA", "old.=", "old.AAAAAAAAAAAAAAAA", &long]
    {
        assert_eq!(sealer.open(FLOW, text), None, "{text:.20}");
    }
}

#[test]
fn two_seals_of_one_text_differ() {
    let sealer = sealer(&[OLD]);
    let sources = Sources::system();
    assert_ne!(sealer.seal(FLOW, b"a secret", sources), sealer.seal(FLOW, b"a secret", sources));
}

#[test]
fn a_file_that_has_no_keys_is_refused_by_its_line() {
    let (long, id) = (format!("{}=", "A".repeat(63)), "x".repeat(33));
    for (text, fault) in [
        ("", InvalidSealKeys::Empty),
        ("\n  \n", InvalidSealKeys::Empty),
        ("AAAA", InvalidSealKeys::Line(1)),
        (&format!("{OLD}\n:AAAA"), InvalidSealKeys::Line(2)),
        (&format!("{OLD}\n\na.b:AAAA"), InvalidSealKeys::Line(3)),
        (&OLD.replace("old", &id), InvalidSealKeys::Line(1)),
        ("a:not base64", InvalidSealKeys::Line(1)),
        ("a:AAAA", InvalidSealKeys::Length(1)),
        (&format!("a:{long}"), InvalidSealKeys::Length(1)),
        (&format!("{OLD}\n{OLD}"), InvalidSealKeys::Twice(2)),
    ] {
        assert_eq!(Sealer::parse(text).err(), Some(fault), "{text:?}");
    }
    let spaced = format!("\r\n  {OLD}  \r\n{}\r\n", NEW.replace('=', ""));
    assert_eq!(Sealer::parse(&spaced).unwrap().current_id(), "old");
}

#[test]
fn no_key_is_shown() {
    let shown = format!("{:?}", sealer(&[OLD, NEW]));
    assert_eq!(shown, r#"["old", "new"]"#);
}
