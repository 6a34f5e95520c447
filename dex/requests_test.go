package dex_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// ask sends a person to an address of Dex and returns what it says, without following it.
func (p *process) ask(t *testing.T, target string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p.do(t, client, request)
}

// requestWith is the app's request at one of Dex's addresses, changed.
func (p *process) requestWith(t *testing.T, path string, changes url.Values) string {
	t.Helper()
	values := query(t, p.authorizationRequest())
	for name, value := range changes {
		values[name] = value
	}
	return p.issuer + path + "?" + values.Encode()
}

// checkAnswered checks that the app gets an error, at its address and with its state.
func checkAnswered(t *testing.T, response *http.Response, body, want string) {
	t.Helper()
	location, err := response.Location()
	if err != nil {
		t.Fatalf("status %d, %v: %s", response.StatusCode, err, body)
	}
	answer := location.Query()
	if !strings.HasPrefix(location.String(), callback+"?") || answer.Get("error") != want || answer.Get("state") != "app-state" || answer.Has("code") {
		t.Errorf("sent to %s", location)
	}
}

func TestAPublicClientHasToBringPKCE(t *testing.T) {
	dex := newSetup(t).start(t)
	plain := url.Values{"code_challenge_method": {"plain"}, "code_challenge": {verifier}}
	for name, changes := range map[string]url.Values{
		"no challenge":           {"code_challenge": nil, "code_challenge_method": nil},
		"an empty challenge":     {"code_challenge": {""}},
		"the verifier itself":    plain,
		"a challenge of no kind": {"code_challenge_method": nil},
		"another kind":           {"code_challenge_method": {"S512"}},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := dex.ask(t, dex.requestWith(t, "/auth/local-postgres", changes))
			checkAnswered(t, response, body, "invalid_request")
		})
	}
	t.Run("a client with a secret need not", func(t *testing.T) {
		target := dex.requestWith(t, "/auth/local-postgres", url.Values{"client_id": {"with-a-secret"}, "code_challenge": nil, "code_challenge_method": nil})
		if response, body := dex.get(t, target); response.StatusCode != http.StatusOK || !formPattern.MatchString(body) {
			t.Errorf("status %d: %s", response.StatusCode, body)
		}
	})
	if got := dex.discovery(t)["code_challenge_methods_supported"]; !slices.Equal(got.([]any), []any{"S256"}) {
		t.Errorf("announced: %v", got)
	}
}

func (p *process) discovery(t *testing.T) (document map[string]any) {
	t.Helper()
	_, text := p.get(t, p.issuer+"/.well-known/openid-configuration")
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestWhoMustNotSeeAFormGetsNone(t *testing.T) {
	dex := newSetup(t).start(t)
	for _, path := range []string{"/auth", "/auth/local-postgres", "/auth/local"} {
		for _, prompt := range [][]string{{"none"}, {"none login"}, {" none"}, {"login", "none"}} {
			response, body := dex.ask(t, dex.requestWith(t, path, url.Values{"prompt": prompt}))
			checkAnswered(t, response, body, "login_required")
		}
	}
	// What is wrong with the request comes first, and nobody is sent to an address that is not the app's.
	response, body := dex.ask(t, dex.requestWith(t, "/auth", url.Values{"prompt": {"none"}, "scope": {"profile"}}))
	checkAnswered(t, response, body, "invalid_scope")
	response, body = dex.ask(t, dex.requestWith(t, "/auth", url.Values{"prompt": {"none"}, "redirect_uri": {"https://evil.example/"}}))
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d: %s", response.StatusCode, body)
	}
	for _, prompt := range []string{"", "login", "consent", "select_account"} {
		if response, body := dex.get(t, dex.requestWith(t, "/auth/local-postgres", url.Values{"prompt": {prompt}})); !formPattern.MatchString(body) {
			t.Errorf("prompt %q: status %d: %s", prompt, response.StatusCode, body)
		}
	}
}

func TestIntrospectionIsNotServed(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	tokens := dex.signIn(t)
	for _, token := range []string{tokens.IDToken, tokens.RefreshToken, "nothing"} {
		got, err := send(t.Context(), dex.issuer+"/token/introspect", url.Values{"token": {token}})
		if err != nil || got.status != http.StatusNotFound {
			t.Errorf("%v, %s", err, got)
		}
	}
	if document := dex.discovery(t); document["introspection_endpoint"] != nil || document["token_endpoint"] == nil {
		t.Errorf("announced: %v", document)
	}
}

func TestNoAppBringsUpTheApprovalPage(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	_, page := dex.get(t, dex.requestWith(t, "/auth/local-postgres", url.Values{"approval_prompt": {"force"}}))
	sent, err := dex.logIn(t.Context(), dex.find(t, formPattern, page), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sent.code(); err != nil {
		t.Error(err)
	}
}

func TestWhatNoStorageCanKeepIsAMalformedRequest(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	for _, text := range []string{"\x00", "a\x00b", "\xff"} {
		for _, field := range []string{"state", "nonce", "scope", "code_challenge", "client_id", "redirect_uri"} {
			response, body := dex.ask(t, dex.requestWith(t, "/auth/local-postgres", url.Values{field: {text}}))
			if response.StatusCode >= http.StatusInternalServerError || response.StatusCode < http.StatusBadRequest {
				t.Errorf("%s %q: status %d: %s", field, text, response.StatusCode, body)
			}
		}
		escaped := url.QueryEscape(text)
		for _, target := range []string{
			"/auth/local-postgres/login?state=" + escaped, "/approval?hmac=aa&req=" + escaped, "/callback?state=" + escaped,
		} {
			if response, body := dex.ask(t, dex.issuer+target); response.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: status %d: %s", target, response.StatusCode, body)
			}
		}
		response, body := dex.post(t, dex.loginForm(t), url.Values{"login": {"ali" + text}, "password": {right}})
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("login %q: status %d: %s", text, response.StatusCode, body)
		}
		_, choice := dex.get(t, dex.authorizationRequest())
		_, page := dex.get(t, dex.find(t, emailPattern, choice))
		response, body = dex.post(t, dex.find(t, formPattern, page), url.Values{"login": {"ali" + text}, "password": {right}})
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("e-mail %q: status %d: %s", text, response.StatusCode, body)
		}
	}
}
