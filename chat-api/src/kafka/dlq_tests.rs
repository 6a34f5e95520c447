use super::*;

fn headers(values: &[(&str, &str)]) -> OwnedHeaders {
    values.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(*value) })
    })
}

#[test]
fn the_last_headers_tell_where_a_dead_letter_comes_from() {
    let twice = headers(&[
        ("traceparent", "x"),
        ("dlq-reason", "an earlier one"),
        ("dlq-topic", "t"),
        ("dlq-partition", "1"),
        ("dlq-offset", "1"),
        ("dlq-reason", "not JSON"),
        ("dlq-topic", "chat-messages"),
        ("dlq-partition", "3"),
        ("dlq-offset", "4711"),
    ]);
    let expected = Origin {
        reason: "not JSON".to_owned(),
        topic: "chat-messages".to_owned(),
        partition: Partition::from_number(3).unwrap(),
        position: Position::new(0, 4711).unwrap(),
    };
    assert_eq!(origin(&twice), Some(expected));
}

#[test]
fn a_record_that_somebody_else_put_there_comes_from_nowhere() {
    for strange in [
        headers(&[]),
        headers(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")]),
        headers(&[
            ("dlq-reason", "r"),
            ("dlq-topic", "t"),
            ("dlq-partition", "-1"),
            ("dlq-offset", "0"),
        ]),
    ] {
        assert_eq!(origin(&strange), None);
    }
}

#[test]
fn only_names_that_can_be_read_are_looked_at() {
    let letter = |own: &[(&str, &str)], readable_from| {
        let place = [
            ("dlq-reason", "r"),
            ("dlq-topic", "t"),
            ("dlq-partition", "3"),
            ("dlq-offset", "4711"),
        ];
        let mut raw = Raw::bare(Partition::from_number(0).unwrap(), Position::FIRST);
        raw.headers = Some(headers(&[own, &place[..]].concat()));
        raw.readable_from = readable_from;
        DeadLetter::read(raw)
    };
    let ours = [("dlq-size", "12"), ("dlq-sha256", "x")];
    let cut = Cut { bytes: 12, sha256: "x".to_owned() };
    assert_eq!(letter(&ours, 0).cut, Some(cut));
    let own = letter(&[("a", "1"), ("b", "2")], 0);
    assert!(own.cut.is_none() && own.origin.is_some(), "it was kept, with its own headers");
    let unreadable = letter(&ours, 2);
    assert!(unreadable.cut.is_none() && unreadable.origin.is_some());
    assert_eq!(letter(&ours, 3).origin, None);
}
