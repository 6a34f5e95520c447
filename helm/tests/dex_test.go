package chart_test

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func dexConfig(t *testing.T, objects objects) map[string]any {
	t.Helper()
	text := field[string](t, objects.must(t, "ConfigMap", "dex"), "data", "config.yaml")
	var config map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &config); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return config
}

// Whoever runs the official chart has the same Dex: what its chart gives by itself is left out.
func TestTheOfficialChartGetsTheConfigurationOfOurs(t *testing.T) {
	ours := dexConfig(t, install(t, "production-external"))
	delete(ours["web"].(map[string]any), "http")
	delete(ours["grpc"].(map[string]any), "addr")
	delete(ours, "telemetry")
	content, err := os.ReadFile("../values/dex-official-chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(content, &values); err != nil {
		t.Fatal(err)
	}
	want, _ := yaml.Marshal(ours)
	got, _ := yaml.Marshal(values["config"])
	if string(want) != string(got) {
		t.Errorf("ours:\n%s\nvalues/dex-official-chart.yaml:\n%s", want, got)
	}
}

// A page may lead back to every client's redirect URI, and nowhere else.
func TestThePolicyOfThePagesListsTheOriginOfEveryClient(t *testing.T) {
	config := dexConfig(t, install(t, "development", "dex.staticClients[0].id=wiki", "dex.staticClients[0].name=Wiki",
		"dex.staticClients[0].public=true", "dex.staticClients[0].redirectURIs[0]=https://wiki.example:8443/back"))
	policy := config["web"].(map[string]any)["headers"].(map[string]any)["Content-Security-Policy"].(string)
	want := "form-action 'self' http://localhost:5173 http://localhost:5559 https://wiki.example:8443;"
	if !strings.Contains(policy, want) {
		t.Errorf("%s", policy)
	}
}

func TestNoSecretIsInDexsConfiguration(t *testing.T) {
	config := dexConfig(t, install(t, "production-external"))
	storage := config["storage"].(map[string]any)["config"].(map[string]any)
	if storage["password"] != "$DEX_STORAGE_PASSWORD" {
		t.Errorf("%v", storage["password"])
	}
	for _, client := range config["staticClients"].([]any) {
		if secret, found := client.(map[string]any)["secret"]; found {
			t.Errorf("%v", secret)
		}
	}
}

// auth-connector takes the proxy's own address for unknown where Dex hands it over, and its pages read the same header.
func TestDexAndAuthConnectorTrustTheSameProxy(t *testing.T) {
	objects := install(t, "production-external", "proxy.header=X-Envoy-External-Address")
	dex := dexConfig(t, objects)["web"].(map[string]any)["clientRemoteIP"].(map[string]any)
	connector := env(objects.pod(t, "Deployment", "auth-connector").spec.Containers[0])
	trusted := dex["trustedProxies"].([]any)
	if len(trusted) != 1 || trusted[0] != connector["TRUSTED_PROXY_CIDRS"] {
		t.Errorf("Dex: %v, auth-connector: %s", trusted, connector["TRUSTED_PROXY_CIDRS"])
	}
	if header := connector["TRUSTED_PROXY_HEADER"]; header != "X-Envoy-External-Address" || header != dex["header"] {
		t.Errorf("Dex: %v, auth-connector: %s", dex["header"], header)
	}
}
