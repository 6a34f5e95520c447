package dex_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// reply is what Dex said to one request, for those that many make at once: it ends no test.
type reply struct {
	status   int
	location *url.URL
	body     string
}

func (r reply) String() string { return fmt.Sprintf("status %d: %s", r.status, r.body) }

// code is the code in what Dex sent to the app.
func (r reply) code() (string, error) {
	if r.location == nil || !r.location.Query().Has("code") {
		return "", fmt.Errorf("no code: %s", r)
	}
	return r.location.Query().Get("code"), nil
}

func send(ctx context.Context, target string, form url.Values) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	got := reply{status: response.StatusCode, body: string(body)}
	if location, err := response.Location(); err == nil {
		got.location = location
	}
	return got, nil
}

// openForm goes to the form of Local Accounts and returns its address.
func (p *process) openForm(ctx context.Context) (string, error) {
	target := strings.Replace(p.authorizationRequest(), "/auth?", "/auth/local-postgres?", 1)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the form: status %d, %v: %s", response.StatusCode, err, body)
	}
	return response.Request.URL.String(), nil
}

func (p *process) logIn(ctx context.Context, form, name string) (reply, error) {
	return send(ctx, form, url.Values{"login": {name}, "password": {right}})
}

func (p *process) exchange(ctx context.Context, code string) (reply, error) {
	return send(ctx, p.issuer+"/token", exchangeOf(code))
}

func (p *process) refresh(ctx context.Context, token string) (reply, error) {
	return send(ctx, p.issuer+"/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {"chat-app-frontend"},
	})
}

// exchangeOf is the app's request to exchange a code.
func exchangeOf(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"chat-app-frontend"},
		"redirect_uri": {callback}, "code_verifier": {verifier},
	}
}

// tokens are those in an answer of the token endpoint.
func (r reply) tokens() (got tokens, err error) {
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || r.status != http.StatusOK || got.RefreshToken == "" {
		return got, fmt.Errorf("no tokens: %w; %s", err, r)
	}
	return got, nil
}

// refusal is the error that the token endpoint names, with its status.
func (r reply) refusal() string {
	var got struct{ Error string }
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		return r.String()
	}
	return fmt.Sprintf("%d %s", r.status, got.Error)
}

const invalidGrant = "400 invalid_grant"

// code signs alice in up to her code.
func (p *process) code(t *testing.T) string {
	t.Helper()
	form, err := p.openForm(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sent, err := p.logIn(t.Context(), form, "alice")
	if err != nil {
		t.Fatal(err)
	}
	code, err := sent.code()
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// signIn signs alice in.
func (p *process) signIn(t *testing.T) tokens {
	t.Helper()
	return must(p.exchange(t.Context(), p.code(t))).granted(t)
}

type answered struct {
	reply
	err error
}

func must(got reply, err error) answered { return answered{got, err} }

func (a answered) granted(t *testing.T) tokens {
	t.Helper()
	got, err := a.tokens()
	if err := errors.Join(a.err, err); err != nil {
		t.Fatal(err)
	}
	return got
}

func (a answered) refused(t *testing.T, want string) {
	t.Helper()
	if a.err != nil {
		t.Fatal(a.err)
	}
	if got := a.refusal(); got != want {
		t.Errorf("%s, want %s: %s", got, want, a.body)
	}
}

// atOnce does the same for each number below count, all beginning at the same moment, and returns what went wrong.
func atOnce(count int, do func(number int) error) error {
	var all sync.WaitGroup
	begin, failures := make(chan struct{}), make([]error, count)
	for number := range count {
		all.Go(func() {
			<-begin
			failures[number] = do(number)
		})
	}
	close(begin)
	all.Wait()
	return errors.Join(failures...)
}
