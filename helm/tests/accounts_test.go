package chart_test

import "testing"

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

func TestTheGateTakesTheLinksToTheAccountsPagesAway(t *testing.T) {
	shut := install(t, "development", "localAccounts.enabled=false")
	extra := dexConfig(t, shut)["frontend"].(map[string]any)["extra"].(map[string]any)
	if linked, found := extra["accountsURL"]; found {
		t.Errorf("Dex leads to %v", linked)
	}
}
