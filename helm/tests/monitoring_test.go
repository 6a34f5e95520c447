package chart_test

import (
	"os"
	"testing"

	"sigs.k8s.io/yaml"
)

// ops/ is the one source: the chart has a link to it.
func TestAlertsAndDashboardsAreThoseOfTheProject(t *testing.T) {
	objects := install(t, "production-operators")
	for _, name := range []string{"auth-connector", "chat-api"} {
		content, err := os.ReadFile("../../ops/grafana/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		if got := field[string](t, objects.must(t, "ConfigMap", "dashboard-"+name), "data", name+".json"); got != string(content) {
			t.Errorf("the dashboard of %s is another", name)
		}
		rules, err := os.ReadFile("../../ops/prometheus/" + name + ".rules.yaml")
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := yaml.Unmarshal(rules, &want); err != nil {
			t.Fatal(err)
		}
		ours, _ := yaml.Marshal(objects.must(t, "PrometheusRule", name).Object["spec"])
		theirs, _ := yaml.Marshal(want)
		if string(ours) != string(theirs) {
			t.Errorf("the alerts of %s are others", name)
		}
	}
}

func TestWhatIsWatchedIsAPortThatServes(t *testing.T) {
	objects := install(t, "production-operators")
	for _, monitor := range objects.ofKind("ServiceMonitor") {
		service := objects.must(t, "Service", monitor.GetName())
		want := field[[]any](t, monitor, "spec", "endpoints")[0].(map[string]any)["port"]
		found := false
		for _, port := range field[[]any](t, service, "spec", "ports") {
			found = found || port.(map[string]any)["name"] == want
		}
		if !found || monitor.GetLabels()["release"] != "prometheus" {
			t.Errorf("%s: port %v, labels %v", monitor.GetName(), want, monitor.GetLabels())
		}
	}
	if len(objects.ofKind("ServiceMonitor")) != 3 || len(install(t, "production-external").ofKind("ServiceMonitor")) != 0 {
		t.Error("the switch does not switch")
	}
}

func TestReplicasFollowConnectionsAndLagWhereTheyAreServed(t *testing.T) {
	metrics := func(sets ...string) []string {
		var names []string
		scaler := install(t, "production-operators", sets...).must(t, "HorizontalPodAutoscaler", "chat-api")
		for _, metric := range field[[]any](t, scaler, "spec", "metrics") {
			metric := metric.(map[string]any)
			if pods, found := metric["pods"].(map[string]any); found {
				names = append(names, pods["metric"].(map[string]any)["name"].(string))
			} else {
				names = append(names, metric["resource"].(map[string]any)["name"].(string))
			}
		}
		return names
	}
	if got := metrics(); len(got) != 2 || got[0] != "chat_connections" || got[1] != "chat_archive_lag_seconds" {
		t.Errorf("%v", got)
	}
	if got := metrics("chatApi.autoscaling.customMetrics.enabled=false"); len(got) != 1 || got[0] != "cpu" {
		t.Errorf("%v", got)
	}
	source, err := os.ReadFile("../../chat-api/src/metrics.rs")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range metrics() {
		if !contains(string(source), `"`+name+`"`) {
			t.Errorf("chat-api has no %s", name)
		}
	}
}
