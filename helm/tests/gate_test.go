package chart_test

import (
	"reflect"
	"strings"
	"testing"
)

// ofLocalAccounts is what the gate shows and hides.
var ofLocalAccounts = [][2]string{
	{"Deployment", "auth-connector"}, {"Service", "auth-connector"}, {"Service", "accounts"}, {"Service", "dex-admin"},
	{"NetworkPolicy", "auth-connector"}, {"Job", "migrate-install"}, {"Job", "seed-users"}, {"CronJob", "certificates"},
}

func TestTheGateIsTheWholeOfLocalAccounts(t *testing.T) {
	open := install(t, "development", "ingress.enabled=true")
	shut := install(t, "development", "ingress.enabled=true", "localAccounts.enabled=false")
	for _, object := range ofLocalAccounts {
		if !open.has(object[0], object[1]) {
			t.Errorf("open: there is no %s %s", object[0], object[1])
		}
		if shut.has(object[0], object[1]) {
			t.Errorf("shut: %s %s is there", object[0], object[1])
		}
	}
	for gate, objects := range map[string]objects{"open": open, "shut": shut} {
		config := dexConfig(t, objects)
		_, connectors := config["connectors"]
		_, admin := config["grpc"]
		if want := gate == "open"; connectors != want || admin != want {
			t.Errorf("%s: Dex has connectors: %v, an admin API: %v", gate, connectors, admin)
		}
		if got := strings.Contains(pathsOf(t, objects), "/accounts"); got != (gate == "open") {
			t.Errorf("%s: /accounts is a path: %v", gate, got)
		}
	}
}

func TestTheGateLeavesTheChatAndItsTestAlone(t *testing.T) {
	open := install(t, "development")
	shut := install(t, "development", "localAccounts.enabled=false")
	if a, b := open.pod(t, "Deployment", "chat-api"), shut.pod(t, "Deployment", "chat-api"); !reflect.DeepEqual(a.spec, b.spec) {
		t.Error("chat-api is replaced by the gate")
	}
	for want, objects := range map[string]objects{"local-postgres": open, "local": shut} {
		test := objects.pod(t, "Pod", "test-sign-in")
		if got := env(test.spec.Containers[0])["CONNECTOR_ID"]; got != want {
			t.Errorf("the test signs in by %s, not by %s", got, want)
		}
	}
}

// Everybody has the subject of before: it is made of the account and of this id.
func TestTheConnectorsIdIsAlwaysTheSame(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		if !objects.has("ConfigMap", "dex") {
			return
		}
		connectors := dexConfig(t, objects)["connectors"].([]any)
		if id := connectors[0].(map[string]any)["id"]; id != "local-postgres" {
			t.Errorf("%v", id)
		}
	})
}

func TestDexsOwnPasswordsAreASwitchOfTheirOwn(t *testing.T) {
	for _, on := range []string{"true", "false"} {
		objects := install(t, "development", "dex.enablePasswordDB="+on)
		config := dexConfig(t, objects)
		_, people := config["staticPasswords"]
		if config["enablePasswordDB"] != (on == "true") || people != (on == "true") {
			t.Errorf("%s: %v, people: %v", on, config["enablePasswordDB"], people)
		}
	}
	if dexConfig(t, install(t, "production-external"))["enablePasswordDB"] != false {
		t.Error("they are on in production")
	}
}

func pathsOf(t *testing.T, objects objects) string {
	t.Helper()
	var paths []string
	for _, rule := range field[[]any](t, objects.must(t, "Ingress", "chatapp"), "spec", "rules") {
		for _, path := range rule.(map[string]any)["http"].(map[string]any)["paths"].([]any) {
			paths = append(paths, path.(map[string]any)["path"].(string))
		}
	}
	return strings.Join(paths, " ")
}
