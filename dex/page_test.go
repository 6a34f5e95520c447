package dex_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

const accountsSetting = "frontend: {issuer: Chat, extra: {accountsURL: https://chat.example/accounts/}}"

var hrefPattern = regexp.MustCompile(`<a [^>]*href="([^"]*)"`)

// links returns where a page leads.
func links(page string) (found []string) {
	for _, match := range hrefPattern.FindAllStringSubmatch(page, -1) {
		found = append(found, html.UnescapeString(match[1]))
	}
	return found
}

func leadsToAccounts(page string) bool {
	return strings.Contains(strings.Join(links(page), " "), "/accounts/") || strings.Contains(page, "Create account")
}

func TestLinksLeadToTheAccountsPagesOfThisLogin(t *testing.T) {
	setup := newSetup(t)
	setup.top = accountsSetting
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	form := dex.loginForm(t)
	state := query(t, form).Get("state")
	want := []string{
		"https://chat.example/accounts/sign-up?state=" + state,
		"https://chat.example/accounts/reset?state=" + state,
	}
	check := func(what, page string) {
		t.Helper()
		found := links(page)
		if len(found) != 3 || found[0] != want[0] || found[1] != want[1] || !strings.HasPrefix(found[2], "/dex/auth?") {
			t.Errorf("%s leads to %q, want %q", what, found, want)
		}
	}
	_, page := dex.get(t, form)
	check("the form", page)
	_, page = dex.get(t, form+"&state=aaaaaaaaaaaaaaaaaaaaaaaaa")
	check("the form with two states", page)
	_, page = dex.post(t, form, url.Values{"login": {"alice"}, "password": {wrong}})
	check("the form again", page)
	if response, _ := dex.post(t, form, url.Values{"login": {"alice"}, "password": {right}}); response.StatusCode != http.StatusSeeOther {
		t.Errorf("the form does not sign in: status %d", response.StatusCode)
	}
}

func TestLinksToAccountsAreForLocalAccountsAlone(t *testing.T) {
	setup := newSetup(t)
	setup.top = accountsSetting
	dex := setup.start(t)
	_, choice := dex.get(t, dex.authorizationRequest())
	_, page := dex.get(t, dex.find(t, emailPattern, choice))
	if leadsToAccounts(page) {
		t.Errorf("Email has them: %s", page)
	}
	form := dex.find(t, formPattern, page)
	// Nor does naming the other connector anywhere else help.
	if _, page = dex.get(t, form+"&x=/auth/local-postgres/login"); leadsToAccounts(page) {
		t.Errorf("Email has them: %s", page)
	}
	if _, page = dex.post(t, form, url.Values{"login": {"alice"}, "password": {wrong}}); strings.Contains(page, "login-hint") || !strings.Contains(page, "login-error") {
		t.Errorf("Email has the hint: %s", page)
	}
}

func TestLinksToAccountsNeedTheirAddress(t *testing.T) {
	dex := newSetup(t).start(t)
	if _, page := dex.get(t, dex.loginForm(t)); leadsToAccounts(page) {
		t.Error(page)
	}
}

func TestTheHintIsTheSameForAll(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	form := dex.loginForm(t)
	_, known := dex.post(t, form, url.Values{"login": {"alice"}, "password": {wrong}})
	_, unknown := dex.post(t, form, url.Values{"login": {"nobody"}, "password": {wrong}})
	if !strings.Contains(known, `id="login-hint"`) || strings.ReplaceAll(known, `value="alice"`, `value="nobody"`) != unknown {
		t.Errorf("known: %s\nunknown: %s", known, unknown)
	}
	if _, page := dex.get(t, form); strings.Contains(page, "login-hint") || strings.Contains(page, "login-error") {
		t.Errorf("before any attempt: %s", page)
	}
}

func TestTypedTextStaysText(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	const typed = `"><script>alert(1)</script>`
	_, page := dex.post(t, dex.loginForm(t), url.Values{"login": {typed}, "password": {wrong}})
	if strings.Contains(page, typed) || !strings.Contains(page, html.EscapeString("<script>alert(1)")) {
		t.Error(page)
	}
}

func TestTheBackLinkStaysHere(t *testing.T) {
	dex := newSetup(t).start(t)
	form := dex.loginForm(t)
	for back, shown := range map[string]bool{
		"/dex/auth?client_id=a":    true,
		"/":                        true,
		"":                         false,
		"//evil.example/":          false,
		"///evil.example/":         false,
		`/\evil.example/`:          false,
		"/\t/evil.example/":        false,
		"/\n/evil.example/":        false,
		" //evil.example/":         false,
		"\n//evil.example/":        false,
		"evil.example":             false,
		"https://evil.example/":    false,
		"javascript:alert(1)":      false,
		"x\n/dex/auth?evil=a":      false,
		"/dex/../..//evil.example": true, // a path of this host, dots and all
	} {
		target, values := form, query(t, form)
		values.Set("back", back)
		target = target[:strings.Index(target, "?")+1] + values.Encode()
		response, page := dex.get(t, target)
		if found := strings.Contains(page, `id="back"`); response.StatusCode != http.StatusOK || found != shown {
			t.Errorf("back=%q: status %d, links: %q", back, response.StatusCode, links(page))
		}
	}
}

func TestTheButtonHasAnIcon(t *testing.T) {
	dex := newSetup(t).start(t)
	if _, page := dex.get(t, dex.authorizationRequest()); !strings.Contains(page, "dex-btn-icon--grpc") {
		t.Errorf("the button's class is another: %s", page)
	}
	if _, css := dex.get(t, dex.issuer+"/static/main.css"); !strings.Contains(css, "../static/img/grpc-icon.svg") || !strings.Contains(css, ".dex-btn-icon--ldap") {
		t.Error("the style sheet has no icon for it")
	}
	response, image := dex.get(t, dex.issuer+"/static/img/grpc-icon.svg")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(image, "<svg") {
		t.Errorf("status %d, %s: %s", response.StatusCode, response.Header.Get("Content-Type"), image)
	}
}

func query(t *testing.T, target string) url.Values {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query()
}
