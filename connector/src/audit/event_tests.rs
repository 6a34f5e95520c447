use std::collections::BTreeSet;

use super::*;

/// Each event has a name of its own; both stand in the source as the text after `serialize = "`.
#[test]
fn every_event_and_every_reason_is_listed() {
    let source = include_str!("event.rs");
    let written: BTreeSet<&str> = source
        .split("#[strum(serialize = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = Event::all();
    let listed: BTreeSet<&str> = all.iter().map(|event| event.name()).collect();
    assert_eq!(written, listed);
    let reasons: BTreeSet<&str> = all.iter().filter_map(|event| event.reason()).collect();
    let named = RefusalReason::iter().map(RefusalReason::name);
    let denials = DenialReason::iter().map(<&str>::from);
    let mails = MailKind::iter().map(MailKind::name);
    let searches = SearchedBy::iter().map(<&str>::from);
    let others = searches.chain(["ticket", "confirmation"]);
    assert_eq!(reasons, named.chain(denials).chain(mails).chain(others).collect());
}

#[test]
fn no_event_is_listed_twice() {
    let all = Event::all();
    let lines: BTreeSet<_> = all.iter().map(|event| (event.name(), event.reason())).collect();
    assert_eq!(lines.len(), all.len());
}
