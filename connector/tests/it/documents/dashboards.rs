//! Dashboard, alerts and documents speak of what the program exports, and of all of it.

use auth_connector::metrics::ALL;
use service_process_testing::dashboards::{Names, Observed};

const DASHBOARD: &str = include_str!("../../../../ops/grafana/auth-connector.json");
const RULES: &str = include_str!("../../../../ops/prometheus/auth-connector.rules.yaml");
const OPERATIONS: &str = include_str!("../../../../docs/OPERATIONS.md");

fn observed() -> Observed<'static> {
    Observed::new(ALL, DASHBOARD, RULES, OPERATIONS)
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
    observed().compare_expressions();
}

#[test]
fn every_panel_has_a_title_an_id_of_its_own_and_a_place_of_its_own() {
    observed().compare_panels();
}

#[test]
fn every_alert_says_how_bad_it_is_what_it_means_and_what_to_do() {
    observed().compare_alerts();
}

#[test]
fn every_metric_is_documented_with_its_type_and_labels() {
    observed().compare_documents();
}
