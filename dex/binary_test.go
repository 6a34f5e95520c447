package dex_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
	"localaccounts/dex/internal/testprocess"
)

const (
	callback = "http://localhost:5173/auth/callback"
	verifier = "a-verifier-of-the-length-that-rfc-7636-asks-for-000"
	right    = "correct-horse-battery-staple"
	wrong    = "hunter2-is-not-it"
)

// accounts is the service behind the connector: it knows people, can be down, and can refuse to let sessions go on.
type accounts struct {
	connectorv1.UnimplementedPasswordConnectorServer
	mutex   sync.Mutex
	down    bool
	refuses bool
	// silent has refreshes wait for an answer for as long as their callers do; asked gets one for each.
	silent bool
	asked  chan struct{}

	login   *connectorv1.LoginRequest
	refresh *connectorv1.RefreshRequest
}

// set changes what the service is like from now on.
func (a *accounts) set(change func()) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	change()
}

var alice = &connectorv1.Identity{
	UserId:            "3f0cbd0e-3f6b-4b8f-9f2e-0c2f4f4b7d11",
	Username:          "Alice Example",
	PreferredUsername: "alice",
	Email:             "alice@example.com",
	EmailVerified:     true,
	Groups:            []string{"users"},
	ConnectorData:     []byte("epoch-1"),
}

var people = map[string]*connectorv1.Identity{
	"alice": alice,
	"bob":   {UserId: "8d1c6c4e-57a5-4a0e-8f7e-1f5d7f0f9b22", Username: "Bob Example", PreferredUsername: "bob", Email: "bob@example.com"},
}

func (a *accounts) Login(_ context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.login = request
	switch {
	case a.down:
		return nil, status.Errorf(codes.Unavailable, "no database for %s, %s", request.GetUsername(), request.GetPassword())
	case known(request.GetUsername()) != nil && request.GetPassword() == right:
		return &connectorv1.LoginResponse{ValidPassword: true, Identity: known(request.GetUsername())}, nil
	default:
		return &connectorv1.LoginResponse{}, nil
	}
}

func (a *accounts) Refresh(ctx context.Context, request *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
	a.mutex.Lock()
	silent := a.silent
	a.mutex.Unlock()
	if silent && request.GetUserId() == alice.GetUserId() {
		a.asked <- struct{}{}
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.refresh = request
	switch {
	case a.down:
		return nil, status.Error(codes.Unavailable, "no database")
	case a.refuses:
		return nil, status.Error(codes.PermissionDenied, "she is disabled")
	default:
		return &connectorv1.RefreshResponse{Identity: known(request.GetUserId())}, nil
	}
}

// known is who has this name or this id. Of a crowd anybody is known, "person-7" for example.
func known(text string) *connectorv1.Identity {
	if strings.HasPrefix(text, "person-") {
		return &connectorv1.Identity{UserId: text, Username: text, PreferredUsername: text, ConnectorData: []byte("epoch-1")}
	}
	for name, person := range people {
		if text == name || text == person.GetUserId() {
			return person
		}
	}
	return nil
}

func TestBinaryNamesItsVersion(t *testing.T) {
	output, err := exec.Command(binary(t), "version").Output()
	if err != nil || !strings.Contains(string(output), "v2.45.1+grpc") {
		t.Errorf("%v: %s", err, output)
	}
}

func TestPageOffersLocalAccountsBesideEmail(t *testing.T) {
	dex := newSetup(t).start(t) // no service is running: the page does not need it
	_, page := dex.get(t, dex.authorizationRequest())
	for _, offer := range []string{"Log in with Local Accounts", "Log in with Email"} {
		if !strings.Contains(page, offer) {
			t.Errorf("%q is missing in %s", offer, page)
		}
	}
}

func TestRightPasswordSignsInAndRefreshes(t *testing.T) {
	setup, service := newSetup(t), &accounts{}
	setup.serve(t, service)
	dex := setup.start(t)

	response, body := dex.post(t, dex.loginForm(t), url.Values{"login": {"alice"}, "password": {right}})
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("status %d: %s", response.StatusCode, body)
	}
	location, err := response.Location()
	if err != nil || !strings.HasPrefix(location.String(), callback+"?") || location.Query().Get("state") != "app-state" {
		t.Fatalf("sent to %s, %v", location, err)
	}
	service.mutex.Lock()
	origin, scopes := service.login.GetOrigin(), service.login.GetScopes()
	service.mutex.Unlock()
	if origin.GetRemoteIp() != "203.0.113.9" || origin.GetConnectorId() != "local-postgres" {
		t.Errorf("origin: %v", origin)
	}
	if !scopes.GetGroups() || !scopes.GetOfflineAccess() {
		t.Errorf("scopes: %v", scopes)
	}

	tokens := dex.token(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier},
	})
	checkClaims(t, tokens.IDToken)
	refreshed := dex.token(t, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}})
	checkClaims(t, refreshed.IDToken)
	service.mutex.Lock()
	defer service.mutex.Unlock()
	if got := service.refresh; got.GetUserId() != alice.GetUserId() || string(got.GetConnectorData()) != "epoch-1" ||
		got.GetOrigin().GetRemoteIp() != "203.0.113.9" || got.GetOrigin().GetRequestId() == "" {
		t.Errorf("refreshed with %v", got)
	}
	if id, log := origin.GetRequestId(), dex.wholeLog(t); id == "" || !strings.Contains(log, id) {
		t.Errorf("request id %q is not in Dex's log: %s", id, log)
	}
}

func TestWrongPasswordShowsTheFormAgain(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	response, page := dex.post(t, dex.loginForm(t), url.Values{"login": {"alice"}, "password": {wrong}})
	if response.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "Invalid Username or e-mail and password.") || strings.Contains(page, wrong) {
		t.Errorf("status %d: %s", response.StatusCode, page)
	}
	dex.wholeLog(t)
}

func TestOutageShowsAnErrorPage(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{down: true})
	dex := setup.start(t)
	response, page := dex.post(t, dex.loginForm(t), url.Values{"login": {"alice"}, "password": {right}})
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(page, "database") {
		t.Errorf("status %d: %s", response.StatusCode, page)
	}
	if log := dex.wholeLog(t); !strings.Contains(log, "Login: the service answered Unavailable") || strings.Contains(log, "no database for") {
		t.Errorf("logged: %s", log)
	}
}

func TestLoginsWorkOnceTheServiceHasCome(t *testing.T) {
	setup := newSetup(t)
	dex := setup.start(t)
	attempt := url.Values{"login": {"alice"}, "password": {right}}
	if response, _ := dex.post(t, dex.loginForm(t), attempt); response.StatusCode != http.StatusInternalServerError {
		t.Fatalf("status %d without a service", response.StatusCode)
	}
	setup.serve(t, &accounts{})
	for deadline := time.Now().Add(testprocess.Hang); ; time.Sleep(50 * time.Millisecond) {
		response, _ := dex.post(t, dex.loginForm(t), attempt)
		if response.StatusCode == http.StatusSeeOther {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still status %d; Dex's log:\n%s", response.StatusCode, dex.Log)
		}
	}
	dex.wholeLog(t)
}

func TestDexRefusesToStartWithABrokenConnector(t *testing.T) {
	for name, test := range map[string]struct{ extra, want string }{
		"unknown setting": {"bindPW: secret", "bindPW"},
		"wrong setting":   {"loginTimeout: soon", "loginTimeout"},
	} {
		t.Run(name, func(t *testing.T) {
			setup := newSetup(t)
			setup.extra = test.extra
			checkRefused(t, setup.start(t), test.want)
		})
	}
	t.Run("certificate missing", func(t *testing.T) {
		setup := newSetup(t)
		setup.authority.CAFile += ".gone"
		checkRefused(t, setup.start(t), "caFile")
	})
}

func checkRefused(t *testing.T, dex *process, want string) {
	t.Helper()
	select {
	case <-dex.Ended:
	default:
		t.Fatalf("Dex runs; its log:\n%s", dex.Log)
	}
	if log := dex.Log.String(); dex.ExitCode() == 0 || !strings.Contains(log, want) {
		t.Errorf("exit code %d, log: %s", dex.ExitCode(), log)
	}
}

// wholeLog stops Dex, looks for what must never be logged, and returns all that was.
func (p *process) wholeLog(t *testing.T) string {
	t.Helper()
	p.Stop()
	log := p.Log.String()
	for _, unsaid := range []string{right, wrong, "alice", "Alice", "bob"} {
		if strings.Contains(log, unsaid) {
			t.Errorf("%q was logged:\n%s", unsaid, log)
		}
	}
	return log
}

func (p *process) authorizationRequest() string {
	challenge := sha256.Sum256([]byte(verifier))
	return p.issuer + "/auth?" + url.Values{
		"client_id": {"chat-app-frontend"}, "redirect_uri": {callback}, "response_type": {"code"},
		"scope": {"openid profile email groups offline_access"}, "state": {"app-state"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode()
}

var (
	linkPattern  = regexp.MustCompile(`href="([^"]*/auth/local-postgres[^"]*)"`)
	emailPattern = regexp.MustCompile(`href="([^"]*/auth/local\?[^"]*)"`)
	formPattern  = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
)

// loginForm walks from the app's request to the form, as a browser would, and returns its address.
func (p *process) loginForm(t *testing.T) string {
	t.Helper()
	_, choice := p.get(t, p.authorizationRequest())
	_, page := p.get(t, p.find(t, linkPattern, choice))
	return p.find(t, formPattern, page)
}

func (p *process) find(t *testing.T, pattern *regexp.Regexp, page string) string {
	t.Helper()
	match := pattern.FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("no %s in %s", pattern, page)
	}
	base, err := url.Parse(p.issuer)
	if err != nil {
		t.Fatal(err)
	}
	target, err := base.Parse(html.UnescapeString(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return target.String()
}

func (p *process) get(t *testing.T, target string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.do(t, http.DefaultClient, request)
}

// post sends a form through a proxy that knows the person's address, and follows no redirect.
func (p *process) post(t *testing.T, target string, form url.Values) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Real-IP", "203.0.113.9")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p.do(t, client, request)
}

func (p *process) do(t *testing.T, client *http.Client, request *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := client.Do(request)
	if err != nil {
		t.Fatalf("%v; Dex's log:\n%s", err, p.Log)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

type tokens struct {
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
}

func (p *process) token(t *testing.T, form url.Values) (got tokens) {
	t.Helper()
	form.Set("client_id", "chat-app-frontend")
	response, body := p.post(t, p.issuer+"/token", form)
	if err := json.Unmarshal([]byte(body), &got); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%v, status %d: %s", err, response.StatusCode, body)
	}
	return got
}

func checkClaims(t *testing.T, token string) {
	t.Helper()
	type claims struct {
		Name, Email       string
		EmailVerified     bool   `json:"email_verified"`
		PreferredUsername string `json:"preferred_username"`
		Groups            []string
	}
	var got claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no token: %q", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	want := claims{"Alice Example", "alice@example.com", true, "alice", []string{"users"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("claims: %+v", got)
	}
}
