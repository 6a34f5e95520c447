use std::collections::BTreeSet;

use super::*;

/// A new event needs a name and a new reason a word, or it does not compile; both stand in the
/// source as the text after `=> "` or `Some("`.
#[test]
fn every_event_and_every_reason_is_listed() {
    let source = include_str!("audit.rs");
    let written: BTreeSet<&str> = ["=> \"", "Some(\""]
        .iter()
        .flat_map(|mark| source.split(mark).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let listed: BTreeSet<&str> = Event::all()
        .into_iter()
        .flat_map(|event| [Some(event.name()), event.reason()])
        .flatten()
        .collect();
    assert_eq!(written, listed);
}

#[test]
fn no_event_is_listed_twice() {
    let all = Event::all();
    let lines: BTreeSet<_> = all.iter().map(|event| (event.name(), event.reason())).collect();
    assert_eq!(lines.len(), all.len());
}
