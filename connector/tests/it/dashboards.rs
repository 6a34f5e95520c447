//! Dashboard, alerts and documents speak of what the program exports, and of all of it.

use std::collections::BTreeSet;

use auth_connector::metrics::{ALL, Kind, Metric};
use serde_json::Value;

const DASHBOARD: &str = include_str!("../../../ops/grafana/auth-connector.json");
const RULES: &str = include_str!("../../../ops/prometheus/auth-connector.rules.yaml");
const OPERATIONS: &str = include_str!("../../../docs/OPERATIONS.md");

/// Labels that Prometheus adds.
const ADDED_LABELS: [&str; 3] = ["instance", "job", "le"];

fn dashboard() -> Value {
    serde_json::from_str(DASHBOARD).expect("JSON")
}

fn rules() -> Value {
    serde_yaml_ng::from_str(RULES).expect("YAML")
}

/// Every value of this key, at any depth.
fn all<'a>(key: &str, value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(key));
            fields.values().for_each(|field| all(key, field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| all(key, item, found)),
        _ => {}
    }
}

/// What an expression names.
#[derive(Debug, Default)]
struct Names {
    metrics: BTreeSet<String>,
    /// Labels that it selects or groups by, each with the metric that must have it, if one is named.
    labels: BTreeSet<(Option<String>, String)>,
}

impl Names {
    fn of(expression: &str) -> Self {
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
fn exported(series: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| match metric.kind {
        Kind::Histogram => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| series.strip_suffix(suffix) == Some(metric.name)),
        Kind::Counter | Kind::Gauge => metric.name == series,
    })
}

fn expressions(document: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    all("expr", document, &mut found);
    found.into_iter().map(|expression| expression.as_str().expect("text")).collect()
}

#[test]
fn what_an_expression_names_is_found() {
    let names = Names::of(
        "histogram_quantile(0.99, sum by (le, call) (rate(a_bucket{code!=\"OK\"}[5m]))) > 1.5e3 \
         and on (instance) time() - b_seconds < 14 * 86400 or c_total offset 5m",
    );
    assert_eq!(names.metrics, ["a_bucket", "b_seconds", "c_total"].map(str::to_owned).into());
    let bucket = Some("a_bucket".to_owned());
    let labels = [(None, "call"), (None, "instance"), (None, "le"), (bucket, "code")];
    assert_eq!(names.labels, labels.map(|(of, label)| (of, label.to_owned())).into());
}

#[test]
fn dashboard_and_alerts_name_exported_metrics_and_the_dashboard_all_of_them() {
    let (dashboard, rules) = (dashboard(), rules());
    let mut shown = BTreeSet::new();
    for (document, file) in [(&dashboard, "dashboard"), (&rules, "rules")] {
        for expression in expressions(document) {
            let names = Names::of(expression);
            assert!(!names.metrics.is_empty(), "{file}: {expression} names no metric");
            for series in &names.metrics {
                let metric = exported(series);
                let metric = metric.unwrap_or_else(|| panic!("{file}: {series} in {expression}"));
                if file == "dashboard" {
                    shown.insert(metric.name);
                }
            }
            for (series, label) in &names.labels {
                let has = |metric: &Metric| metric.labels.contains(&label.as_str());
                let known = match series {
                    Some(series) => exported(series).is_some_and(has),
                    None => names.metrics.iter().filter_map(|name| exported(name)).any(has),
                };
                let added = ADDED_LABELS.contains(&label.as_str());
                assert!(known || added, "{file}: no label {label} for {expression}");
            }
        }
    }
    assert_eq!(shown, ALL.iter().map(|metric| metric.name).collect());
}

#[test]
fn every_panel_has_a_title_an_id_of_its_own_and_a_place_of_its_own() {
    let dashboard = dashboard();
    let panels = dashboard["panels"].as_array().expect("panels");
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

#[test]
fn every_alert_says_how_bad_it_is_what_it_means_and_what_to_do() {
    let anchors: BTreeSet<String> = OPERATIONS
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    let rules = rules();
    let mut alerts = Vec::new();
    all("rules", &rules, &mut alerts);
    let alerts: Vec<_> = alerts.into_iter().flat_map(|rules| rules.as_array().unwrap()).collect();
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

/// The anchor that a heading gets where Markdown is shown.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_metric_is_documented_with_its_type_and_labels() {
    for Metric { name, kind, labels, .. } in ALL {
        let kind = format!("{kind:?}").to_lowercase();
        let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
        let row = format!("| `{name}` | {kind} | {}", labels.join(", "));
        assert!(OPERATIONS.contains(row.trim_end()), "docs/OPERATIONS.md has no row {row}");
    }
}
