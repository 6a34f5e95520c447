use super::*;

#[test]
fn every_unit_of_the_specification_is_understood() {
    for (text, timeout) in [
        ("2H", Duration::from_hours(2)),
        ("3M", Duration::from_mins(3)),
        ("8S", Duration::from_secs(8)),
        ("7999m", Duration::from_millis(7999)),
        ("25u", Duration::from_micros(25)),
        ("99999999n", Duration::from_nanos(99_999_999)),
        ("99999999H", Duration::from_hours(99_999_999)),
        ("0S", Duration::ZERO),
        ("00000001S", Duration::from_secs(1)),
    ] {
        assert_eq!(parse(text), Some(timeout), "{text}");
    }
}

#[test]
fn what_is_malformed_is_no_deadline() {
    for text in [
        "",
        "S",
        "8",
        "8s",
        "8h",
        "-8S",
        "+8S",
        " 8S",
        "8S ",
        "8.5S",
        "1e3S",
        "999999999S",
        "8Sm",
        "٣S",
        "8ß",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn a_deadline_is_counted_from_now() {
    let now = Instant::now();
    let mut metadata = MetadataMap::new();
    assert_eq!(of(&metadata, now), None);
    metadata.insert("grpc-timeout", "8S".parse().unwrap());
    assert_eq!(of(&metadata, now), Some(now + Duration::from_secs(8)));
    metadata.insert("grpc-timeout", "soon".parse().unwrap());
    assert_eq!(of(&metadata, now), None);
}
