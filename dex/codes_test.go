package dex_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestAFailedExchangeBurnsTheCode(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	for name, wrong := range map[string]url.Values{
		"another verifier":     {"code_verifier": {"a-verifier-that-nobody-made-a-challenge-of-000000"}},
		"no verifier":          {"code_verifier": {""}},
		"another redirect URI": {"redirect_uri": {callback + "/elsewhere"}},
		"no redirect URI":      {"redirect_uri": {""}},
		"another client":       {"client_id": {"other-app"}},
	} {
		t.Run(name, func(t *testing.T) {
			code := dex.code(t)
			form := exchangeOf(code)
			for field, value := range wrong {
				form[field] = value
			}
			must(send(t.Context(), dex.issuer+"/token", form)).refused(t, invalidGrant)
			must(dex.exchange(t.Context(), code)).refused(t, invalidGrant)
		})
	}
}

func TestASecondUseOfACodeEndsWhatItYielded(t *testing.T) {
	for name, second := range map[string]url.Values{
		"as before":            {},
		"with a wrong proof":   {"code_verifier": {"a-verifier-that-nobody-made-a-challenge-of-000000"}},
		"by another client":    {"client_id": {"other-app"}},
		"with another address": {"redirect_uri": {callback + "/elsewhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			setup := newSetup(t)
			setup.serve(t, &accounts{})
			dex := setup.start(t)
			code := dex.code(t)
			tokens := must(dex.exchange(t.Context(), code)).granted(t)
			tokens = must(dex.refresh(t.Context(), tokens.RefreshToken)).granted(t)

			form := exchangeOf(code)
			for field, value := range second {
				form[field] = value
			}
			must(send(t.Context(), dex.issuer+"/token", form)).refused(t, invalidGrant)
			must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, invalidGrant)
		})
	}
}

func TestOfManyUsesOfACodeAtOnceNoSessionIsLeft(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	code := dex.code(t)
	var replies [20]reply
	if err := atOnce(len(replies), func(number int) (err error) {
		replies[number], err = dex.exchange(t.Context(), code)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	granted := 0
	for _, got := range replies {
		tokens, err := got.tokens()
		if err != nil {
			if got.refusal() != invalidGrant {
				t.Errorf("an exchange: %s", got)
			}
			continue
		}
		granted++
		must(dex.refresh(t.Context(), tokens.RefreshToken)).refused(t, invalidGrant)
	}
	if granted > 1 {
		t.Errorf("%d exchanges of one code yielded tokens", granted)
	}
}

func TestACodeOfBeforeAnEndYieldsNothing(t *testing.T) {
	setup, service := newSetup(t), &accounts{}
	setup.serve(t, service)
	dex := setup.start(t)

	code := dex.code(t)
	service.set(func() { service.refuses = true })
	must(dex.exchange(t.Context(), code)).refused(t, invalidGrant)
	service.set(func() { service.refuses = false })
	must(dex.exchange(t.Context(), code)).refused(t, invalidGrant)

	// The service is asked about this login, and not about the person's session.
	service.mutex.Lock()
	asked := service.refresh
	service.mutex.Unlock()
	if !asked.GetOfCode() || asked.GetUserId() != alice.GetUserId() || string(asked.GetConnectorData()) != "epoch-1" {
		t.Errorf("asked with %v", asked)
	}
}

func TestAnOutageDoesNotBurnACode(t *testing.T) {
	setup, service := newSetup(t), &accounts{}
	setup.serve(t, service)
	dex := setup.start(t)
	code := dex.code(t)
	service.set(func() { service.down = true })
	must(dex.exchange(t.Context(), code)).refused(t, "500 server_error")
	service.set(func() { service.down = false })
	must(dex.exchange(t.Context(), code)).granted(t)
}

func TestWhatIsNoCodeIsAnInvalidGrant(t *testing.T) {
	setup := newSetup(t)
	setup.onPostgres(t)
	dex := setup.start(t)
	for name, code := range map[string]string{"unknown": "abcdefghijklmnopqrstuvwxy", "NUL": "\x00", "a NUL in it": "abc\x00def", "no UTF-8": "\xff\xfe"} {
		t.Run(name, func(t *testing.T) {
			must(dex.exchange(t.Context(), code)).refused(t, invalidGrant)
		})
	}
	form := exchangeOf("")
	must(send(t.Context(), dex.issuer+"/token", form)).refused(t, "400 invalid_request")
	form.Set("client_id", "a\x00b")
	must(send(t.Context(), dex.issuer+"/token", form)).refused(t, "401 invalid_client")
}

func TestACodeThatCannotBeDeletedYieldsNothingAndIsNotLogged(t *testing.T) {
	setup := newSetup(t)
	database := setup.onPostgres(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	code := dex.code(t)
	if _, err := database.Exec(`create function fail() returns trigger language plpgsql as $$ begin raise 'the disk is full'; end $$;
		create trigger fail before delete on auth_code for each row execute function fail()`); err != nil {
		t.Fatal(err)
	}
	must(dex.exchange(t.Context(), code)).refused(t, "500 server_error")
	form := exchangeOf(code)
	form.Set("code_verifier", "a-verifier-that-nobody-made-a-challenge-of-000000")
	must(send(t.Context(), dex.issuer+"/token", form)).refused(t, "500 server_error")
	if log := dex.wholeLog(t); strings.Contains(log, code) || !strings.Contains(log, "the disk is full") {
		t.Errorf("logged: %s", log)
	}
}
