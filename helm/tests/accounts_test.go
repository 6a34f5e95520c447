package chart_test

import (
	"slices"
	"testing"
)

// accountsPages gives what auth-connector is told of its pages, and what Dex's page links to.
func accountsPages(t *testing.T, objects objects) (url, signUp string, linked any) {
	t.Helper()
	set := env(objects.pod(t, "Deployment", "auth-connector").spec.Containers[0])
	extra := dexConfig(t, objects)["frontend"].(map[string]any)["extra"].(map[string]any)
	return set["ACCOUNTS_PUBLIC_URL"], set["ACCOUNTS_SIGN_UP"], extra["accountsURL"]
}

func TestTheAccountsPagesAreThereWhereTheyAreAskedForAndDexLeadsThere(t *testing.T) {
	for _, test := range []struct {
		environment string
		sets        []string
		url, signUp string
	}{
		{"production-external", nil, "", ""},
		{"production-external", []string{"accounts.pages=true"}, "https://chat.example/accounts", "open"},
		{"production-external", []string{"accounts.pages=true", "accounts.signUp=invite", "accounts.publicURL=https://id.example/accounts"},
			"https://id.example/accounts", "invite"},
		{"development", nil, "http://localhost:5559/accounts", "open"},
		{"development", []string{"accounts.publicURL=http://[::1]:5559/accounts"}, "http://[::1]:5559/accounts", "open"},
	} {
		url, signUp, linked := accountsPages(t, install(t, test.environment, test.sets...))
		if url != test.url || signUp != test.signUp {
			t.Errorf("%s with %v: %q, %q", test.environment, test.sets, url, signUp)
		}
		if want := any(test.url); test.url == "" && linked != nil || test.url != "" && linked != want {
			t.Errorf("%s with %v: Dex leads to %v", test.environment, test.sets, linked)
		}
	}
}

func TestWhoIsAskedForStolenPasswordsMayBeReached(t *testing.T) {
	from := peer{name: "auth-connector", namespace: namespace, labels: labelsOf("auth-connector")}
	for url, open := range map[string]int32{
		"":                                     0,
		"https://ranges.example/range/":        443,
		"http://ranges.default.svc/passwords/": 80,
		"http://ranges.example:8443/":          8443,
		"https://[2001:db8::5]:8443/range/":    8443,
	} {
		objects := install(t, "production-external", "accounts.pages=true", "accounts.passwordRangesURL="+url)
		set := env(objects.pod(t, "Deployment", "auth-connector").spec.Containers[0])
		if set["PASSWORD_RANGES_URL"] != url {
			t.Errorf("%q: auth-connector asks %q", url, set["PASSWORD_RANGES_URL"])
		}
		for _, port := range []int32{80, 443, 8443} {
			if got := allowed(policiesOf(t, objects), from, peer{name: "192.0.2.1"}, port); got != (port == open) {
				t.Errorf("%q: auth-connector may reach port %d: %v", url, port, got)
			}
		}
	}
}

func TestTheAccountsPagesLeadBackToDexAndToTheAppsOfItsClients(t *testing.T) {
	client := "dex.staticClients[0].id=other,dex.staticClients[0].name=Other,dex.staticClients[0].public=true," +
		"dex.staticClients[0].redirectURIs[0]=https://other.example/callback"
	for _, test := range []struct {
		environment string
		sets        []string
		want        [3]string
	}{
		{"production-external", nil, [3]string{}},
		{"production-external", []string{"accounts.pages=true"},
			[3]string{"https://chat.example/dex", "http://dex:5556/dex", "https://chat.example"}},
		{"production-external", []string{"accounts.pages=true", client},
			[3]string{"https://chat.example/dex", "http://dex:5556/dex", "https://chat.example,https://other.example"}},
	} {
		set := env(install(t, test.environment, test.sets...).pod(t, "Deployment", "auth-connector").spec.Containers[0])
		got := [3]string{set["DEX_ISSUER_URL"], set["DEX_DISCOVERY_URL"], set["ACCOUNTS_APP_ORIGINS"]}
		if got != test.want {
			t.Errorf("%s with %v: %q, want %q", test.environment, test.sets, got, test.want)
		}
	}
}

func TestTheGateTakesTheLinksToTheAccountsPagesAway(t *testing.T) {
	shut := install(t, "development", "localAccounts.enabled=false")
	extra := dexConfig(t, shut)["frontend"].(map[string]any)["extra"].(map[string]any)
	if linked, found := extra["accountsURL"]; found {
		t.Errorf("Dex leads to %v", linked)
	}
}

// People are known by Dex's tokens, whose keys are fetched where pods reach Dex.
func TestThePagesKnowDexAndWhoMaySearchWhereTheyAreServed(t *testing.T) {
	told := func(environment string, sets ...string) map[string]string {
		return env(install(t, environment, sets...).pod(t, "Deployment", "auth-connector").spec.Containers[0])
	}
	set := told("development", "accounts.searchGroups={support,staff}")
	for name, want := range map[string]string{
		"DEX_ISSUER_URL":         "http://localhost:5556/dex",
		"DEX_DISCOVERY_URL":      "http://dex:5556/dex",
		"ACCOUNTS_SEARCH_GROUPS": "support,staff",
	} {
		if set[name] != want {
			t.Errorf("%s is %q, not %q", name, set[name], want)
		}
	}
	if issuer, found := told("production-external")["DEX_ISSUER_URL"]; found {
		t.Errorf("without pages nobody is signed in, and Dex is %s", issuer)
	}
}

// Dex and auth-connector read one secret, which nobody else has, and Dex leads back to the pages alone.
func TestPeopleSignInToTheAccountsPagesAsDexsClient(t *testing.T) {
	for _, test := range []struct {
		sets                []string
		issuer, inside, url string
	}{
		{[]string{"accounts.pages=true"}, "https://chat.example/dex", "http://dex:5556/dex", "https://chat.example/accounts"},
		{[]string{"accounts.pages=true", "accounts.publicURL=https://id.example/accounts", "dex.issuer=https://id.example/oidc"},
			"https://id.example/oidc", "http://dex:5556/oidc", "https://id.example/accounts"},
	} {
		objects := install(t, "production-external", test.sets...)
		set := env(objects.pod(t, "Deployment", "auth-connector").spec.Containers[0])
		if set["DEX_ISSUER_URL"] != test.issuer || set["DEX_DISCOVERY_URL"] != test.inside {
			t.Errorf("%v: auth-connector finds Dex as %s at %s", test.sets, set["DEX_ISSUER_URL"], set["DEX_DISCOVERY_URL"])
		}
		if set["ACCOUNTS_CLIENT_SECRET_FILE"] == "" || set["ACCOUNTS_SESSION_KEY_FILE"] == "" {
			t.Errorf("%v: auth-connector has no secret, or no key", test.sets)
		}
		client := accountsClient(t, objects)
		if client == nil || client["secretEnv"] != "ACCOUNTS_CLIENT_SECRET" ||
			!slices.Equal(client["redirectURIs"].([]any), []any{test.url + "/callback"}) {
			t.Errorf("%v: %v", test.sets, client)
		}
		keys := specOf(t, objects, "prepare").keys()["auth-connector-accounts"]
		if !slices.Equal(keys, []string{"client-secret", "session-keys"}) {
			t.Errorf("%v: the Secret has %v", test.sets, keys)
		}
	}
}

func TestWithoutTheAccountsPagesThereIsNeitherClientNorSecret(t *testing.T) {
	for _, objects := range []objects{
		install(t, "production-external"), install(t, "development", "localAccounts.enabled=false"),
	} {
		if client := accountsClient(t, objects); client != nil {
			t.Errorf("%v", client)
		}
		if keys, found := specOf(t, objects, "prepare").keys()["auth-connector-accounts"]; found {
			t.Errorf("%v", keys)
		}
	}
}

// accountsClient gives the client of the pages in Dex's configuration, if it is there.
func accountsClient(t *testing.T, objects objects) map[string]any {
	t.Helper()
	for _, client := range dexConfig(t, objects)["staticClients"].([]any) {
		if client := client.(map[string]any); client["id"] == "accounts" {
			return client
		}
	}
	return nil
}
