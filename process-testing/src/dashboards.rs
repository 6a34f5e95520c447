//! Whether a service's dashboard, alerts and documents speak of what it exports, and of all of it.

use std::collections::BTreeSet;

use serde_json::Value;
use service_process::metrics::{Kind, Metric};

/// Labels that Prometheus adds.
const ADDED_LABELS: [&str; 3] = ["instance", "job", "le"];

/// Every value of this key, at any depth.
fn all_of<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| all_of(key, field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all_of(key, item, found)),
        _ => {}
    }
}

/// What an expression of Prometheus names.
#[derive(Debug, Default)]
pub struct Names {
    /// The series.
    pub metrics: BTreeSet<String>,
    /// Labels that it selects or groups by, each with the metric that must have it, if one is named.
    pub labels: BTreeSet<(Option<String>, String)>,
}

impl Names {
    /// Finds them. Knows as much of the language as our expressions use.
    #[must_use]
    pub fn of(expression: &str) -> Self {
        let mut names = Self::default();
        let mut rest = expression;
        let mut last = None;
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let word = &rest[..word.unwrap_or(rest.len())];
            rest = match first {
                '"' => between(rest, '"').1,
                '[' => between(rest, ']').1,
                '{' => {
                    let (matchers, after) = between(rest, '}');
                    for matcher in matchers.split(',').filter(|text| !text.trim().is_empty()) {
                        let label = matcher.split(['=', '!']).next().unwrap_or_default();
                        names.labels.insert((last.clone(), label.trim().to_owned()));
                    }
                    after
                }
                _ if word.is_empty() => &rest[first.len_utf8()..],
                _ => &rest[word.len()..],
            };
            if word.is_empty() || first.is_ascii_digit() {
                continue;
            }
            let called = rest.trim_start().starts_with('(');
            match word {
                "and" | "or" | "unless" | "bool" | "offset" | "sum" | "min" | "max" => {}
                "by" | "without" | "on" | "ignoring" if called => {
                    let (labels, after) = between(rest.trim_start(), ')');
                    let labels = labels.split(',').map(|label| (None, label.trim().to_owned()));
                    names.labels.extend(labels);
                    rest = after;
                }
                _ if called => {}
                metric => {
                    last = Some(metric.to_owned());
                    names.metrics.insert(metric.to_owned());
                }
            }
        }
        names
    }
}

/// What stands between the first character and the next `end`, and what follows that.
fn between(text: &str, end: char) -> (&str, &str) {
    let (inside, after) = text[1..].split_once(end).unwrap_or_else(|| panic!("no {end} in {text}"));
    (inside, after)
}

/// The metric whose series has this name.
fn exported<'a>(all: &'a [Metric], series: &str) -> Option<&'a Metric> {
    all.iter().find(|metric| match metric.kind {
        Kind::Histogram => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| series.strip_suffix(suffix) == Some(metric.name)),
        Kind::Counter | Kind::Gauge => metric.name == series,
    })
}

fn expressions(document: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    all_of("expr", document, &mut found);
    found.into_iter().map(|expression| expression.as_str().expect("text")).collect()
}

/// A service's metrics, and all that speaks of them.
pub struct Observed<'a> {
    metrics: &'a [Metric],
    dashboard: Value,
    rules: Value,
    operations: &'a str,
}

impl<'a> Observed<'a> {
    /// The exported metrics, the dashboard (JSON of Grafana), the alerts (YAML of Prometheus) and
    /// docs/OPERATIONS.md.
    #[must_use]
    pub fn new(metrics: &'a [Metric], dashboard: &str, rules: &str, operations: &'a str) -> Self {
        Self {
            metrics,
            dashboard: serde_json::from_str(dashboard).expect("JSON"),
            rules: serde_yaml_ng::from_str(rules).expect("YAML"),
            operations,
        }
    }

    /// Dashboard and alerts name exported metrics and their labels, and the dashboard all of them.
    pub fn compare_expressions(&self) {
        let all = self.metrics;
        let mut shown = BTreeSet::new();
        for (document, file) in [(&self.dashboard, "dashboard"), (&self.rules, "rules")] {
            for expression in expressions(document) {
                let names = Names::of(expression);
                assert!(!names.metrics.is_empty(), "{file}: {expression} names no metric");
                for series in &names.metrics {
                    let metric = exported(all, series);
                    let metric =
                        metric.unwrap_or_else(|| panic!("{file}: {series} in {expression}"));
                    if file == "dashboard" {
                        shown.insert(metric.name);
                    }
                }
                for (series, label) in &names.labels {
                    let has = |metric: &Metric| metric.labels.contains(&label.as_str());
                    let known = match series {
                        Some(series) => exported(all, series).is_some_and(has),
                        None => {
                            names.metrics.iter().filter_map(|name| exported(all, name)).any(has)
                        }
                    };
                    let added = ADDED_LABELS.contains(&label.as_str());
                    assert!(known || added, "{file}: no label {label} for {expression}");
                }
            }
        }
        assert_eq!(shown, all.iter().map(|metric| metric.name).collect());
    }

    /// Every panel has a title, an id of its own and a place of its own.
    pub fn compare_panels(&self) {
        let panels = self.dashboard["panels"].as_array().expect("panels");
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels {
            assert!(!panel["title"].as_str().expect("a title").is_empty());
            assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{}", panel["title"]);
            let place = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
            for x in place("x")..place("x") + place("w") {
                for y in place("y")..place("y") + place("h") {
                    assert!(x < 24 && taken.insert((x, y)), "{} overlaps", panel["title"]);
                }
            }
        }
    }

    /// Every alert says how bad it is, what it means and what to do.
    pub fn compare_alerts(&self) {
        let anchors: BTreeSet<String> = self
            .operations
            .lines()
            .filter(|line| line.starts_with('#'))
            .map(|line| anchor(line.trim_start_matches('#').trim()))
            .collect();
        let mut alerts = Vec::new();
        all_of("rules", &self.rules, &mut alerts);
        let alerts: Vec<_> =
            alerts.into_iter().flat_map(|rules| rules.as_array().expect("alerts")).collect();
        assert!(!alerts.is_empty());
        for alert in alerts {
            let name = alert["alert"].as_str().expect("a name");
            let severity = alert["labels"]["severity"].as_str().expect(name);
            assert!(["critical", "warning"].contains(&severity), "{name}: {severity}");
            assert!(!alert["annotations"]["summary"].as_str().expect(name).is_empty(), "{name}");
            let runbook = alert["annotations"]["runbook"].as_str().expect(name);
            let target = runbook.strip_prefix("docs/OPERATIONS.md#").expect(runbook);
            assert!(anchors.contains(target), "{name}: {runbook} is not there");
        }
    }

    /// Every metric is documented with its type and labels.
    pub fn compare_documents(&self) {
        for Metric { name, kind, labels, .. } in self.metrics {
            let kind = format!("{kind:?}").to_lowercase();
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            let row = format!("| `{name}` | {kind} | {}", labels.join(", "));
            let row = row.trim_end();
            assert!(self.operations.contains(row), "docs/OPERATIONS.md has no row {row}");
        }
    }
}

/// The anchor that a heading gets where Markdown is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}
