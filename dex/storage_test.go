package dex_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// refreshPolicy is how the operator is told to set it, without a time in which a token may be used again.
const refreshPolicy = "expiry: {refreshTokens: {validIfNotUsedFor: 336h, absoluteLifetime: 2160h}}"

// reusePolicy is the same with such a time, which no test outlasts.
const reusePolicy = "expiry: {refreshTokens: {reuseInterval: 1h, validIfNotUsedFor: 336h, absoluteLifetime: 2160h}}"

func TestTwoHundredPeopleSignInAtOnce(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	setup.top = refreshPolicy
	setup.serve(t, &accounts{})
	dex := setup.start(t)

	const crowd = 200
	var forms, codes, refreshTokens [crowd]string
	open := func(number int) (err error) {
		forms[number], err = dex.openForm(t.Context())
		return err
	}
	logIn := func(number int) error {
		sent, err := dex.logIn(t.Context(), forms[number], fmt.Sprintf("person-%d", number))
		if err == nil && sent.status != http.StatusSeeOther {
			err = fmt.Errorf("login: %s", sent)
		}
		if err == nil {
			codes[number], err = sent.code()
		}
		return err
	}
	exchange := func(number int) error {
		got, err := dex.exchange(t.Context(), codes[number])
		if err != nil {
			return err
		}
		tokens, err := got.tokens()
		refreshTokens[number] = tokens.RefreshToken
		return err
	}
	refresh := func(number int) error {
		got, err := dex.refresh(t.Context(), refreshTokens[number])
		if err != nil {
			return err
		}
		_, err = got.tokens()
		return err
	}
	// Each step by all of them at the same moment, which is when they get in each other's way.
	for _, step := range []func(int) error{open, logIn, exchange, refresh} {
		if err := atOnce(crowd, step); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOnePersonSignsInFiftyTimesAtOnce(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)

	const windows = 50
	var forms, refreshTokens [windows]string
	if err := atOnce(windows, func(number int) (err error) {
		forms[number], err = dex.openForm(t.Context())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := atOnce(windows, func(number int) error {
		sent, err := dex.logIn(t.Context(), forms[number], "person-1")
		if err != nil {
			return err
		}
		code, err := sent.code()
		if err != nil {
			return err
		}
		got, err := dex.exchange(t.Context(), code)
		if err != nil {
			return err
		}
		tokens, err := got.tokens()
		refreshTokens[number] = tokens.RefreshToken
		return err
	}); err != nil {
		t.Fatal(err)
	}
	// Dex keeps one session for a person and an app (dexidp/dex#981): one of them goes on, the others sign in again.
	goOn := 0
	for _, token := range refreshTokens {
		got, err := dex.refresh(t.Context(), token)
		switch {
		case err != nil:
			t.Fatal(err)
		case got.status == http.StatusOK:
			goOn++
		case got.refusal() != invalidGrant:
			t.Errorf("refresh: %s", got)
		}
	}
	if goOn != 1 {
		t.Errorf("%d sessions go on", goOn)
	}
}

func TestFiftyRefreshesOfOneTokenAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		policy  string
		granted func(count int) bool
	}{
		"within the time for it all get the same": {reusePolicy, func(count int) bool { return count == 50 }},
		"without a time for it one gets tokens":   {refreshPolicy, func(count int) bool { return count == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			setup := newSetup(t)
			database := setup.onPostgres(t)
			setup.top = test.policy
			setup.serve(t, &accounts{})
			dex := setup.start(t)
			token := dex.signIn(t).RefreshToken
			age(t, database)
			var fresh [50]string
			if err := atOnce(len(fresh), func(number int) error {
				got, err := dex.refresh(t.Context(), token)
				if err != nil || got.refusal() == invalidGrant {
					return err
				}
				tokens, err := got.tokens()
				fresh[number] = tokens.RefreshToken
				return err
			}); err != nil {
				t.Fatal(err)
			}
			granted, distinct := 0, map[string]bool{}
			for _, token := range fresh {
				if token != "" {
					granted++
					distinct[token] = true
				}
			}
			if !test.granted(granted) || len(distinct) > 1 {
				t.Errorf("%d got %d different tokens", granted, len(distinct))
			}
		})
	}
}

func TestOnePersonsRefreshesHoldNobodyUp(t *testing.T) {
	setup, service := newSetup(t), &accounts{asked: make(chan struct{}, 100)}
	setup.onPostgres(t)
	setup.top = reusePolicy
	setup.extra = "refreshTimeout: 10s"
	setup.serve(t, service)
	dex := setup.start(t)
	token := dex.signIn(t).RefreshToken
	service.set(func() { service.silent = true })

	// More than Dex has connections to its database, and the service does not answer.
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	var waiting sync.WaitGroup
	for range 60 {
		waiting.Go(func() { _, _ = dex.refresh(ctx, token) }) // they hang up
	}
	<-service.asked
	if err := atOnce(30, func(number int) error {
		form, err := dex.openForm(t.Context())
		if err != nil {
			return err
		}
		sent, err := dex.logIn(t.Context(), form, fmt.Sprintf("person-%d", number))
		if err != nil {
			return err
		}
		code, err := sent.code()
		if err != nil {
			return err
		}
		got, err := dex.exchange(t.Context(), code)
		if err != nil {
			return err
		}
		_, err = got.tokens()
		return err
	}); err != nil {
		t.Error(err)
	}

	hangUp()
	waiting.Wait()
	service.set(func() { service.silent = false })
	must(dex.refresh(t.Context(), token)).granted(t)
}

// age has every refresh token be used last so long ago that it rotates, whatever the policy is.
func age(t *testing.T, database *sql.DB) {
	t.Helper()
	if _, err := database.Exec("update refresh_token set last_used = last_used - interval '2 hours'"); err != nil {
		t.Fatal(err)
	}
}
