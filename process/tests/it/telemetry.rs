use crate::service::command;

#[test]
fn unusable_configuration_exits_64_and_names_the_option() {
    let cases = [
        (vec!["--behaviour", "odd"], "--behaviour"),
        (vec!["--behaviour", "orderly", "--log-level", "loud"], "--log-level"),
        (vec!["--behaviour", "orderly", "--log-format", "xml"], "--log-format"),
        (vec!["--behaviour", "orderly", "--colour"], "--colour"),
        (vec![], "--behaviour"),
    ];
    for (arguments, option) in cases {
        let output = command().args(&arguments).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {text}");
        assert!(text.contains(option), "{arguments:?}: {text}");
    }
}

#[test]
fn help_lists_every_option_with_its_variable_and_exits_0() {
    let output = command().arg("--help").output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0));
    for variable in ["LOG_LEVEL", "LOG_FORMAT", "BEHAVIOUR"] {
        assert!(text.contains(variable), "{text}");
    }
}

#[test]
fn json_logs_are_one_object_a_line() {
    let output = command()
        .args(["--behaviour", "panicking", "--log-format", "json"])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let died = text.lines().find(|line| line.contains("worker died")).expect(&text);
    let object: serde_json::Value = serde_json::from_str(died).expect(died);
    assert_eq!(object["level"], "ERROR", "{died}");
    assert_eq!(object["worker"], "worker", "{died}");
}

#[test]
fn a_log_level_of_off_is_silent() {
    let mut service = command();
    service.args(["--behaviour", "failing"]).env("LOG_LEVEL", "off");
    let output = service.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!text.contains("worker died"), "{text}");
}
