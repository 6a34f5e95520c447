//! Runs commands to their end.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::setup::{Database, keys, program, text};

pub(crate) fn run(database: &Database, arguments: &[&str]) -> Output {
    database.command(arguments).stdin(Stdio::null()).output().expect("it runs")
}

pub(crate) fn fed(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut command = database.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// What a command that must succeed answered.
pub(crate) fn done(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

pub(crate) fn json_lines(database: &Database, arguments: &[&str]) -> Vec<Value> {
    let answer = done(database, arguments);
    answer.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The exit code of `check-config` with these variables, and all it wrote.
pub(crate) fn check(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = program();
    command.arg("check-config").env("ROLES", "login");
    command.env("PEPPER_FILE", &keys().peppers).env("GUARD_KEY_FILE", &keys().guard_key);
    command.envs(variables.iter().copied());
    let output = command.output().expect("it runs");
    (output.status.code(), text(&output))
}
