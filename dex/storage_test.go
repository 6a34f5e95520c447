package dex_test

import (
	"fmt"
	"net/http"
	"testing"
)

// refreshPolicy is how the operator is told to set it, without a time in which a token may be used again.
const refreshPolicy = "expiry: {refreshTokens: {validIfNotUsedFor: 336h, absoluteLifetime: 2160h}}"

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
