//! Counting: what the test runners print, as numbers.

use std::fmt;
use std::ops::AddAssign;

use serde::Deserialize;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// What this machine cannot run; said loudly where it happens.
    pub(crate) skipped: u32,
}

impl Tally {
    pub(crate) const ONE_FAILED: Self = Self { passed: 0, failed: 1, skipped: 0 };

    /// The count of one check.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: u32::from(passed), failed: u32::from(!passed), skipped: 0 }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)?;
        match self.skipped {
            0 => Ok(()),
            skipped => write!(formatter, ", {skipped} skipped"),
        }
    }
}

/// Counts one Rust test program by its closing line. An ignored test is a failed one; a program
/// that ends badly without a closing line, or in spite of it, has one failure more.
pub(crate) fn of_rust(output: &str, succeeded: bool) -> Tally {
    let closing = output.lines().rev().find_map(|line| line.strip_prefix("test result: "));
    let Some(closing) = closing else {
        return Tally::ONE_FAILED;
    };
    let count = |word: &str| -> u32 {
        closing
            .split([';', '.'])
            .filter_map(|item| item.trim().strip_suffix(word))
            .find_map(|number| number.trim().parse().ok())
            .unwrap_or_default()
    };
    let failed = count("failed") + count("ignored");
    let failed = if failed == 0 && !succeeded { 1 } else { failed };
    Tally { passed: count("passed"), failed, skipped: 0 }
}

/// Counts by a closing line `N passed, N failed` or `N passed, N failed, N skipped`; a program that ends badly in
/// spite of it has one failure more.
pub(crate) fn of_closing_line(line: &str, succeeded: bool) -> Tally {
    let count = |item: &str, word: &str| item.strip_suffix(word)?.trim().parse::<u32>().ok();
    let counts: Option<Vec<u32>> = line
        .split(", ")
        .zip(["passed", "failed", "skipped"])
        .map(|(item, word)| count(item, word))
        .collect();
    match counts.as_deref() {
        Some([passed, failed, skipped @ ..]) => Tally {
            passed: *passed,
            failed: if *failed == 0 { u32::from(!succeeded) } else { *failed },
            skipped: skipped.first().copied().unwrap_or_default(),
        },
        _ => Tally::ONE_FAILED,
    }
}

/// One line of `go test -json` (go doc test2json).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    test: Option<String>,
    #[serde(default)]
    package: Option<String>,
    #[serde(default)]
    output: Option<String>,
}

/// The count of a `go test -json` run, and what its failures wrote.
#[derive(Debug, Default)]
pub(crate) struct GoReport {
    pub(crate) tally: Tally,
    pub(crate) failures: String,
}

/// Counts Go tests, those within tests too. A skipped test is a failed one, and so is a package
/// that fails without one of its tests failing (it does not build, or its `TestMain` fails).
pub(crate) fn of_go(json: &str) -> GoReport {
    let mut report = GoReport::default();
    let mut outputs: std::collections::BTreeMap<_, String> = std::collections::BTreeMap::new();
    let mut failed_packages = std::collections::BTreeSet::new();
    for line in json.lines() {
        let Ok(event) = serde_json::from_str::<Event>(line) else {
            report.failures += line;
            report.failures.push('\n');
            continue;
        };
        let key = (event.package.clone(), event.test.clone());
        match (event.action.as_str(), &event.test) {
            ("output" | "build-output", _) => {
                *outputs.entry(key).or_default() += event.output.as_deref().unwrap_or_default();
            }
            ("pass", Some(_)) => report.tally.passed += 1,
            ("fail" | "skip", Some(_)) => {
                report.tally.failed += 1;
                failed_packages.insert(event.package);
                report.failures += outputs.get(&key).map_or("", String::as_str);
            }
            ("fail", None) if !failed_packages.contains(&event.package) => {
                report.tally.failed += 1;
                report.failures += outputs.get(&key).map_or("", String::as_str);
            }
            ("build-fail", _) => report.failures += outputs.get(&key).map_or("", String::as_str),
            _ => {}
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::{Tally, of_closing_line, of_go, of_rust};

    fn tally(passed: u32, failed: u32) -> Tally {
        Tally { passed, failed, skipped: 0 }
    }

    #[test]
    fn a_rust_closing_line_is_counted() {
        let output = "test a ... ok\n\ntest result: ok. 5 passed; 0 failed; 0 ignored; \
                      0 measured; 2 filtered out; finished in 0.10s\n";
        assert_eq!(of_rust(output, true), tally(5, 0));
    }

    #[test]
    fn an_ignored_rust_test_counts_as_failed() {
        let output = "test result: ok. 5 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out";
        assert_eq!(of_rust(output, true), tally(5, 2));
    }

    #[test]
    fn a_rust_program_that_ends_early_counts_as_failed() {
        assert_eq!(of_rust("running 3 tests\ntest a ... ok\n", false), tally(0, 1));
        assert_eq!(of_rust("", true), tally(0, 1));
        let closing = "test result: ok. 5 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(of_rust(closing, false), tally(5, 1));
    }

    #[test]
    fn a_plain_closing_line_is_counted() {
        assert_eq!(of_closing_line("7 passed, 0 failed", true), tally(7, 0));
        assert_eq!(of_closing_line("5 passed, 2 failed", false), tally(5, 2));
        assert_eq!(of_closing_line("7 passed, 0 failed", false), tally(7, 1));
        assert_eq!(of_closing_line("error: no stack", false), tally(0, 1));
        let skipped = Tally { skipped: 3, ..tally(4, 0) };
        assert_eq!(of_closing_line("4 passed, 0 failed, 3 skipped", true), skipped);
        assert_eq!(skipped.to_string(), "4 passed, 0 failed, 3 skipped");
    }

    #[test]
    fn go_tests_are_counted_and_their_failures_shown() {
        let json = r#"{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Test":"B","Output":"    b_test.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"B"}
{"Action":"skip","Package":"p","Test":"C"}
{"Action":"fail","Package":"p"}
{"Action":"skip","Package":"empty"}"#;
        let report = of_go(json);
        assert_eq!(report.tally, tally(1, 2));
        assert_eq!(report.failures, "    b_test.go:1: wrong\n");
    }

    #[test]
    fn a_go_package_that_does_not_build_counts_as_failed() {
        let json = r#"{"ImportPath":"p","Action":"build-output","Output":"p.go:1: syntax\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"fail","Package":"p","FailedBuild":"p"}"#;
        let report = of_go(json);
        assert_eq!(report.tally, tally(0, 1));
        assert_eq!(report.failures, "p.go:1: syntax\n");
    }
}
