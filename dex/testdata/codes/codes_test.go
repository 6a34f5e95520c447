// Package codes_test runs Dex's server package on a clock of its own. It means something only when
// compiled with the overlay that the binary is built with, so it lies where `./...` does not look;
// TestACodeLivesSixtySeconds of the module runs it.
package codes_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/dexidp/dex/web"
)

const (
	callback = "http://localhost:5173/auth/callback"
	verifier = "a-verifier-of-the-length-that-rfc-7636-asks-for-000"
)

// clock is the real one, moved by what a test decides.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func TestACodeLivesSixtySeconds(t *testing.T) {
	for name, test := range map[string]struct {
		age    time.Duration
		status int
	}{
		"at 50 s it is good":    {50 * time.Second, http.StatusOK},
		"at 61 s it is no more": {61 * time.Second, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			var clock clock
			dex := start(t, &clock)
			code := signIn(t, dex)
			clock.ahead.Store(int64(test.age))
			response := post(t, dex+"/token", url.Values{
				"grant_type": {"authorization_code"}, "client_id": {"app"}, "code": {code},
				"redirect_uri": {callback}, "code_verifier": {verifier},
			})
			if body, _ := io.ReadAll(response.Body); response.StatusCode != test.status {
				t.Errorf("status %d: %s", response.StatusCode, body)
			}
		})
	}
}

func start(t *testing.T, clock *clock) (issuer string) {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store := storage.WithStaticConnectors(
		storage.WithStaticClients(memory.New(logger), []storage.Client{{ID: "app", Public: true, RedirectURIs: []string{callback}}}),
		[]storage.Connector{{ID: "somebody", Type: "mockPassword", Config: []byte(`{"username": "a", "password": "b"}`)}})
	keys, err := (&signer.MockConfig{}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var handler atomic.Value
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.Load().(http.Handler).ServeHTTP(w, r)
	}))
	t.Cleanup(listener.Close)
	dex, err := server.NewServer(t.Context(), server.Config{
		Issuer: listener.URL, Storage: store, Signer: keys, Now: clock.now, Logger: logger,
		SkipApprovalScreen: true, Web: server.WebConfig{WebFS: web.FS()},
	})
	if err != nil {
		t.Fatal(err)
	}
	handler.Store(http.Handler(dex))
	return listener.URL
}

func signIn(t *testing.T, dex string) (code string) {
	t.Helper()
	challenge := sha256.Sum256([]byte(verifier))
	response, err := http.Get(dex + "/auth/somebody?" + url.Values{
		"client_id": {"app"}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"},
		"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	form := response.Request.URL.String() // where the redirect led
	target, err := post(t, form, url.Values{"login": {"a"}, "password": {"b"}}).Location()
	if err != nil {
		t.Fatal(err)
	}
	return target.Query().Get("code")
}

func post(t *testing.T, target string, form url.Values) *http.Response {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(target, form)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}
