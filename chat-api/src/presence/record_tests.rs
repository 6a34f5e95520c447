//! Records of presence

use super::*;

fn person(name: &str) -> Person {
    let user_id = UserId::parse(name).unwrap();
    Person { user_name: UserName::parse("N").unwrap(), user_id }
}

fn boot() -> Boot {
    Boot::new(Uuid::from_u128(7))
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let people = vec![person("ada"), person("b\"ob\\")];
    let all = [
        Told::Snapshot { chunk: 1, of: 3, every: 10_000, people: people.clone(), guests: 4 },
        Told::Delta { joined: people, left: vec![UserId::parse("cleo").unwrap()], guests: 0 },
        Told::Delta { joined: Vec::new(), left: Vec::new(), guests: 5 },
        Told::Leave { linger: 10_000 },
    ];
    for told in all {
        let record = Record { boot: boot(), seq: 9, told };
        assert_eq!(Record::decode(&record.encode()), Ok(record));
    }
}

#[test]
fn the_form_stays_as_it_is() {
    let told = Told::Delta { joined: vec![person("ada")], left: Vec::new(), guests: 1 };
    let text = String::from_utf8(Record { boot: boot(), seq: 9, told }.encode()).unwrap();
    assert_eq!(
        text,
        r#"{"v":1,"boot":"00000000-0000-0000-0000-000000000007","seq":9,"kind":"delta","joined":[{"user_id":"ada","user_name":"N"}],"guests":1}"#
    );
}

#[test]
fn of_another_kind_the_number_is_known_and_of_another_version_nothing() {
    let later = |v: u32, kind: &str| {
        format!(r#"{{"v":{v},"boot":"{}","seq":3,"kind":"{kind}","more":[1]}}"#, Uuid::from_u128(7))
    };
    let other = Record { boot: boot(), seq: 3, told: Told::Other };
    assert_eq!(Record::decode(later(1, "away").as_bytes()), Ok(other));
    assert_eq!(Record::decode(later(2, "delta").as_bytes()), Err(RecordError::Newer(2)));
}

#[test]
fn rubbish_is_malformed() {
    let long = "x".repeat(300);
    let with = |people: &str| {
        format!(
            r#"{{"v":1,"boot":"{}","seq":3,"kind":"snapshot","chunk":0,"of":1,"every":1,"people":[{people}],"guests":0}}"#,
            Uuid::from_u128(7)
        )
    };
    assert!(
        Record::decode(with(r#"{"user_id":"ada","user_name":"N","later":1}"#).as_bytes()).is_ok()
    );
    let rubbish = [
        String::new(),
        "[]".to_owned(),
        r#"{"v":1}"#.to_owned(),
        r#"{"v":1,"boot":"7","seq":3,"kind":"leave","linger":1}"#.to_owned(),
        with(&format!(r#"{{"user_id":"{long}","user_name":"N"}}"#)),
        with(r#"{"user_id":"ada","user_name":" "}"#),
        with(r#"{"user_id":"ada"}"#),
        with("\"ada\""),
        with("").replace("\"guests\":0", "\"guests\":-1"),
    ];
    for text in rubbish {
        let read = Record::decode(text.as_bytes());
        assert!(matches!(read, Err(RecordError::Malformed { .. })), "{text}: {read:?}");
    }
}

#[test]
fn people_are_told_in_parts_that_a_topic_takes_and_none_is_left_out() {
    assert_eq!(chunks([]), [[]]);
    assert_eq!(id_chunks(Vec::new()), Vec::<Vec<UserId>>::new());
    let longest = UserName::parse(&"😀".repeat(128)).unwrap();
    let many: Vec<Person> = (0..1_000)
        .map(|number| {
            let user_id = UserId::parse(&format!("{number:\"<255}")).unwrap();
            Person { user_id, user_name: longest.clone() }
        })
        .collect();
    let parts = chunks(many.clone());
    assert_eq!(parts.concat(), many);
    for people in parts {
        let told = Told::Snapshot { chunk: 0, of: 1, every: 1, people, guests: 0 };
        let bytes = Record { boot: boot(), seq: 0, told }.encode().len();
        assert!(bytes < 2 * CHUNK_BYTES, "{bytes}");
    }
    let ids: Vec<UserId> = many.into_iter().map(|person| person.user_id).collect();
    let parts = id_chunks(ids.clone());
    assert!(parts.len() > 5, "{}", parts.len());
    assert_eq!(parts.concat(), ids);
}
