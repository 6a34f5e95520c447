package main

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

func secretsSpec() *spec {
	return &spec{Secrets: []secretSpec{
		{Name: "postgres", Type: "kubernetes.io/basic-auth", Values: []valueSpec{
			{Key: "username", Text: "accounts"},
			{Key: "password", Hex: 24},
			{Key: "dsn", Text: "postgres://${username}:${password}@postgres:5432/accounts"},
		}},
		{Name: "keys", Values: []valueSpec{{Key: "peppers", Base64: 32, Prefix: "p1:"}}},
		{Name: "dex", Values: []valueSpec{{Key: "password", Hex: 8}, {Key: "hash", Bcrypt: "password"}}},
	}}
}

func TestWhatIsMissingIsMadeAndFitsTogether(t *testing.T) {
	api, client := startAPIServer(t)
	if err := prepare(t.Context(), client, secretsSpec(), now); err != nil {
		t.Fatal(err)
	}
	password := api.data(t, "postgres", "password")
	if want := "postgres://accounts:" + password + "@postgres:5432/accounts"; api.data(t, "postgres", "dsn") != want {
		t.Errorf("the DSN is not of this password")
	}
	if len(password) != 48 || api.secrets["postgres"].Type != "kubernetes.io/basic-auth" {
		t.Errorf("%d characters, type %s", len(password), api.secrets["postgres"].Type)
	}
	encoded, found := strings.CutPrefix(api.data(t, "keys", "peppers"), "p1:")
	pepper, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(pepper) != 32 {
		t.Errorf("the pepper has %d bytes: %v", len(pepper), err)
	}
	hash, plain := api.data(t, "dex", "hash"), api.data(t, "dex", "password")
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(plain)); err != nil {
		t.Error(err)
	}
}

func TestASecondRunChangesNothing(t *testing.T) {
	api, client := startAPIServer(t)
	wanted := secretsSpec()
	wanted.Authorities, wanted.Days, wanted.RenewBeforeDays = authorities(), 90, 30
	for range 2 {
		if err := prepare(t.Context(), client, wanted, now); err != nil {
			t.Fatal(err)
		}
	}
	// Three Secrets, an authority and its two certificates.
	if api.writes != 6 {
		t.Errorf("%d writes", api.writes)
	}
}

func TestASecretThatIsThereIsNeverReplaced(t *testing.T) {
	api, client := startAPIServer(t)
	api.put(&secret{Metadata: metadata{Name: "keys"}, Data: map[string][]byte{"peppers": []byte("p1:ours")}})
	if err := prepare(t.Context(), client, secretsSpec(), now); err != nil {
		t.Fatal(err)
	}
	if got := api.data(t, "keys", "peppers"); got != "p1:ours" {
		t.Errorf("it is %s", got)
	}
}

func TestWhoIsFasterWins(t *testing.T) {
	api, client := startAPIServer(t)
	api.ahead = func(name string) {
		api.put(&secret{Metadata: metadata{Name: name}, Data: map[string][]byte{
			"username": []byte("accounts"), "password": []byte("theirs"), "dsn": []byte("postgres://theirs")}})
	}
	if err := prepare(t.Context(), client, secretsSpec(), now); err != nil {
		t.Fatal(err)
	}
	if got := api.data(t, "postgres", "password"); got != "theirs" {
		t.Errorf("it is %s", got)
	}
}

func TestEverythingThatIsMissingIsNamedAtOnce(t *testing.T) {
	api, client := startAPIServer(t)
	api.put(&secret{Metadata: metadata{Name: "half"}, Data: map[string][]byte{"one": []byte("hush")}})
	wanted := &spec{Required: []requirement{
		{Name: "absent", Keys: []string{"uri"}}, {Name: "half", Keys: []string{"one", "two"}},
	}}
	err := prepare(t.Context(), client, wanted, now)
	var missing *missingError
	if !errors.As(err, &missing) {
		t.Fatalf("%v", err)
	}
	const want = "Secret absent is missing (keys: uri); Secret half has no key two"
	if err.Error() != want {
		t.Errorf("%s", err)
	}
}

func TestAnAPIServerThatRefusesEndsTheJobAndSaysWhy(t *testing.T) {
	api, client := startAPIServer(t)
	client.token = "another"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The time is over after the second answer; the first one has arrived by then.
	answers := 0
	api.refused = func() {
		if answers++; answers == 2 {
			cancel()
		}
	}
	err := prepare(ctx, client, secretsSpec(), now)
	if err == nil || !strings.Contains(err.Error(), "who are you?") {
		t.Errorf("%v", err)
	}
}

func TestASpecWithAWordThatNobodyKnowsIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "spec.json")
	if err := os.WriteFile(file, []byte(`{"secrets": [{"name": "x", "valeus": []}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSpec(file); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "valeus") {
		t.Errorf("%v", err)
	}
}
