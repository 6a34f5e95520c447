package dex_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
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
		if len(found) != len(want)+1 || !slices.Equal(found[:len(want)], want) || !strings.HasPrefix(found[len(want)], "/dex/auth?") {
			t.Errorf("%s leads to %q, want %q", what, found, want)
		}
	}
	_, page := dex.get(t, form)
	check("the form", page)
	_, page = dex.get(t, form+"&state=aaaaaaaaaaaaaaaaaaaaaaaaa")
	check("the form with two states", page)
	_, page = dex.post(t, form, url.Values{"login": {"alice"}, "password": {wrong}})
	want = append(want, "https://chat.example/accounts/unlock?state="+state)
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

func TestFoldersAreNotShown(t *testing.T) {
	dex := newSetup(t).start(t)
	for _, path := range []string{"/static", "/static/", "/static/img", "/static/img/", "/theme", "/theme/", "/static/..", "/static/%2e%2e/"} {
		if response, body := dex.get(t, dex.issuer+path); response.StatusCode != http.StatusNotFound || strings.Contains(body, "<pre>") {
			t.Errorf("%s: status %d: %s", path, response.StatusCode, body)
		}
	}
	for _, path := range []string{"/static/main.css", "/static/login.js", "/static/img/ldap-icon.svg", "/theme/styles.css", "/theme/logo.png"} {
		if response, _ := dex.get(t, dex.issuer+path); response.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", path, response.StatusCode)
		}
	}
}

func TestAnErrorPageLeadsBackToTheApp(t *testing.T) {
	setup, service := newSetup(t), &accounts{down: true}
	setup.serve(t, service)
	dex := setup.start(t)
	want := callback + "?error=access_denied&state=app-state"
	check := func(what string, response *http.Response, page, want string) {
		t.Helper()
		found := links(page)
		if response.StatusCode < http.StatusBadRequest || len(found) != 1 || found[0] != want {
			t.Errorf("%s: status %d leads to %q, want %q", what, response.StatusCode, found, want)
		}
	}
	form := dex.loginForm(t)
	response, page := dex.post(t, form, url.Values{"login": {"alice"}, "password": {right}})
	check("an outage", response, page, want)
	response, page = dex.ask(t, strings.Replace(form, "/auth/local-postgres/", "/auth/local/", 1))
	check("the form of another connector", response, page, want)
	response, page = dex.ask(t, dex.requestWith(t, "/auth/nobody", nil))
	check("an unknown connector", response, page, want)

	for what, target := range map[string]string{
		"an address that is not the app's": dex.requestWith(t, "/auth/nobody", url.Values{"redirect_uri": {"https://evil.example/"}}),
		"an unknown app":                   dex.requestWith(t, "/auth/nobody", url.Values{"client_id": {"nobody"}}),
		"no request":                       dex.issuer + "/auth/local-postgres/login?state=aaaaaaaaaaaaaaaaaaaaaaaaa",
	} {
		if _, page := dex.ask(t, target); len(links(page)) != 0 {
			t.Errorf("%s leads to %q", what, links(page))
		}
	}
}

func TestAnErrorPageOfAnUnknownAppLeadsWhereTheOperatorSays(t *testing.T) {
	for setting, want := range map[string]string{"https://chat.example/": "https://chat.example/", "javascript:alert(1)": "#ZgotmplZ"} {
		setup := newSetup(t)
		setup.top = "frontend: {extra: {appURL: " + `"` + setting + `"` + "}}"
		dex := setup.start(t)
		if _, page := dex.ask(t, dex.issuer+"/auth/local-postgres/login?state=aaaaaaaaaaaaaaaaaaaaaaaaa"); !slices.Equal(links(page), []string{html.UnescapeString(want)}) {
			t.Errorf("leads to %q", links(page))
		}
	}
}

func TestNothingThatDexSaysIsKept(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	form := dex.loginForm(t)
	check := func(what string, response *http.Response) {
		t.Helper()
		if got := response.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) {
			t.Errorf("%s: %q", what, got)
		}
	}
	for what, target := range map[string]string{
		"the choice": dex.authorizationRequest(), "the form": form, "an error": dex.issuer + "/auth/local-postgres/login?state=a",
	} {
		response, _ := dex.get(t, target)
		check(what, response)
	}
	response, _ := dex.post(t, form, url.Values{"login": {"alice"}, "password": {wrong}})
	check("the form again", response)
	response, _ = dex.post(t, dex.issuer+"/token", exchangeOf("unknown"))
	check("a refused exchange", response)
	response, _ = dex.post(t, form, url.Values{"login": {"alice"}, "password": {right}})
	check("the way back with a code", response)
	// What may be kept says so itself.
	if response, _ := dex.get(t, dex.issuer+"/keys"); !strings.Contains(response.Header.Get("Cache-Control"), "max-age") {
		t.Errorf("the keys: %q", response.Header.Get("Cache-Control"))
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
