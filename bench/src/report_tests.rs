use super::*;

fn report() -> Report {
    Report::new("test", &Cores { service: "0".to_owned(), callers: "1".to_owned() })
}

#[test]
fn a_goal_is_met_by_the_median() {
    let mut report = report();
    report.rounds("rate", "ratio", &[0.5, 0.95, 0.99], Goal::AtLeast(0.9)).unwrap();
    assert!(report.all_met(), "one bad round is shown in the range");
    report.rounds("rate", "ratio", &[0.5, 0.8, 0.99], Goal::AtLeast(0.9)).unwrap();
    assert!(!report.all_met());
}

#[test]
fn goals_include_their_ends() {
    assert!(Goal::AtLeast(1.0).is_met(1.0) && !Goal::AtLeast(1.0).is_met(0.99));
    assert!(Goal::AtMost(1.0).is_met(1.0) && !Goal::AtMost(1.0).is_met(1.01));
    let within = Goal::Within(0.95, 1.05);
    assert!(within.is_met(0.95) && within.is_met(1.05) && !within.is_met(1.06));
    assert!(!within.is_met(f64::NAN), "what could not be measured is missed");
}

#[test]
fn the_file_says_what_was_measured_and_whether_it_is_enough() {
    let mut report = report();
    report.rounds("rate", "ratio", &[0.8, 0.9, 1.0], Goal::AtLeast(0.95)).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    let measure = &json["measures"][0];
    assert_eq!(measure["what"], "rate");
    assert_eq!([&measure["median"], &measure["least"], &measure["most"]], [0.9, 0.8, 1.0]);
    assert_eq!(measure["rounds"], 3);
    assert_eq!(measure["goal"], "≥ 0.95");
    assert_eq!(measure["met"], false);
    assert_eq!(json["service_cores"], "0");
    assert!(json.get("notes").is_none());
    report.note("what it does not show");
    assert_eq!(serde_json::to_value(&report).unwrap()["notes"][0], "what it does not show");
}
