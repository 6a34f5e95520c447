package dex_test

import (
	"encoding/base64"
	"net/url"
	"testing"
)

// rawRefreshToken is a refresh token as Dex encodes it: a message of two texts.
func rawRefreshToken(id, token string) string {
	message := append([]byte{1<<3 | 2, byte(len(id))}, id...)
	message = append(append(message, 2<<3|2, byte(len(token))), token...)
	return base64.RawURLEncoding.EncodeToString(message)
}

func TestADeadRefreshTokenIsAnInvalidGrant(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	for name, token := range map[string]string{
		"never issued":           rawRefreshToken("abcdefghijklmnopqrstuvwxy", "abcdefghijklmnopqrstuvwxy"),
		"no refresh token":       "nothing that Dex made",
		"NUL":                    "\x00",
		"a NUL in its id":        rawRefreshToken("abc\x00def", "abcdefghijklmnopqrstuvwxy"),
		"an id that is no UTF-8": rawRefreshToken("\xff", "abcdefghijklmnopqrstuvwxy"),
		"no UTF-8":               "\xff\xfe",
	} {
		t.Run(name, func(t *testing.T) {
			must(dex.refresh(t.Context(), token)).refused(t, invalidGrant)
		})
	}
	t.Run("another client's", func(t *testing.T) {
		tokens := dex.signIn(t)
		must(send(t.Context(), dex.issuer+"/token", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}, "client_id": {"other-app"},
		})).refused(t, invalidGrant)
		must(dex.refresh(t.Context(), tokens.RefreshToken)).granted(t)
	})
	t.Run("none at all", func(t *testing.T) {
		must(dex.refresh(t.Context(), "")).refused(t, "400 invalid_request")
	})
	t.Run("a scope that was not granted", func(t *testing.T) {
		must(send(t.Context(), dex.issuer+"/token", url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {dex.signIn(t).RefreshToken}, "client_id": {"chat-app-frontend"},
			"scope": {"openid federated:id"},
		})).refused(t, "400 invalid_scope")
	})
}

func TestAnExpiredRefreshTokenIsAnInvalidGrant(t *testing.T) {
	setup := newSetup(t)
	database := setup.onPostgres(t)
	setup.top = "expiry: {refreshTokens: {validIfNotUsedFor: 1h}}"
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	tokens := dex.signIn(t)
	age(t, database)
	must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, invalidGrant)
}

func TestARefreshTokenThatIsNoLongerItsSessionsIsAnInvalidGrant(t *testing.T) {
	for name, statement := range map[string]string{
		"the session has none": `update offline_session set refresh = '{}'`,
		"it has another":       `update offline_session set refresh = replace(convert_from(refresh, 'UTF8'), '"ID":"', '"ID":"x')::bytea`,
		"there is no session":  `delete from offline_session`,
	} {
		t.Run(name, func(t *testing.T) {
			setup := newSetup(t)
			database := setup.onPostgres(t)
			setup.serve(t, &accounts{})
			dex := setup.start(t)
			tokens := dex.signIn(t)
			if _, err := database.Exec(statement); err != nil {
				t.Fatal(err)
			}
			must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, invalidGrant)
		})
	}
}

func TestARotatedRefreshTokenThatComesBackEndsItsSession(t *testing.T) {
	for name, policy := range map[string]string{"without a time to use it again": refreshPolicy, "after that time": reusePolicy} {
		t.Run(name, func(t *testing.T) {
			setup := newSetup(t)
			database := setup.onPostgres(t)
			setup.top = policy
			setup.serve(t, &accounts{})
			dex := setup.start(t)
			first := dex.signIn(t).RefreshToken
			age(t, database)
			second := must(dex.refresh(t.Context(), first)).granted(t).RefreshToken
			age(t, database)
			third := must(dex.refresh(t.Context(), second)).granted(t).RefreshToken
			age(t, database)
			must(dex.refresh(t.Context(), second)).refused(t, invalidGrant)
			must(dex.refresh(t.Context(), third)).refused(t, invalidGrant)

			// The person is not locked out: the next session is another one.
			again := dex.signIn(t).RefreshToken
			must(dex.refresh(t.Context(), first)).refused(t, invalidGrant)
			must(dex.refresh(t.Context(), again)).granted(t)
		})
	}
	t.Run("one of long ago", func(t *testing.T) {
		setup := newSetup(t)
		database := setup.onPostgres(t)
		setup.top = reusePolicy
		setup.serve(t, &accounts{})
		dex := setup.start(t)
		first := dex.signIn(t).RefreshToken
		age(t, database)
		second := must(dex.refresh(t.Context(), first)).granted(t).RefreshToken
		age(t, database)
		third := must(dex.refresh(t.Context(), second)).granted(t).RefreshToken
		must(dex.refresh(t.Context(), first)).refused(t, invalidGrant)
		must(dex.refresh(t.Context(), third)).refused(t, invalidGrant)
	})
}

func TestARefreshTokenThatIsUsedAgainInTimeIsAnsweredAlike(t *testing.T) {
	setup := newSetup(t)
	database := setup.onPostgres(t)
	setup.top = reusePolicy
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	first := dex.signIn(t).RefreshToken
	age(t, database)
	second := must(dex.refresh(t.Context(), first)).granted(t).RefreshToken
	again := must(dex.refresh(t.Context(), first)).granted(t).RefreshToken
	if second == first || again != second {
		t.Errorf("%q became %q and then %q", first, second, again)
	}
}

func TestARefusalHoldsFromTheFirstMoment(t *testing.T) {
	setup, service := newSetup(t), &accounts{}
	setup.top = reusePolicy
	setup.serve(t, service)
	dex := setup.start(t)
	tokens := dex.signIn(t)
	service.set(func() { service.refuses = true })
	must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, invalidGrant)
}

func TestAnOutageAtARefreshIsNoEndOfTheSession(t *testing.T) {
	for name, policy := range map[string]string{"the token rotates": refreshPolicy, "it is used again": reusePolicy} {
		t.Run(name, func(t *testing.T) {
			setup, service := newSetup(t), &accounts{}
			setup.top = policy
			setup.serve(t, service)
			dex := setup.start(t)
			tokens := dex.signIn(t)
			service.set(func() { service.down = true })
			must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, "500 server_error")
			service.set(func() { service.down = false })
			must(dex.refresh(t.Context(), tokens.RefreshToken)).granted(t)
		})
	}
}

func TestAClaimThatChangedIsInTheNextTokens(t *testing.T) {
	setup := newSetup(t)
	setup.top = reusePolicy
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	checkClaims(t, must(dex.refresh(t.Context(), dex.signIn(t).RefreshToken)).granted(t).IDToken)
}
