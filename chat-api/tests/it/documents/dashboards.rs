//! Dashboard, alerts and documents speak of what the program exports, and of all of it.

use chat_api::metrics::ALL;
use service_process_testing::dashboards::Observed;

const DASHBOARD: &str = include_str!("../../../../ops/grafana/chat-api.json");
const RULES: &str = include_str!("../../../../ops/prometheus/chat-api.rules.yaml");
const OPERATIONS: &str = include_str!("../../../../docs/OPERATIONS.md");

fn observed() -> Observed<'static> {
    Observed::new(ALL, DASHBOARD, RULES, OPERATIONS)
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
