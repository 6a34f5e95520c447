package grpcpassword

import (
	"strings"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
)

func TestContractWithoutItsDatabaseTheServiceSaysSoAndComesBack(t *testing.T) {
	authority, database := testpki.New(t), testaccounts.NewDatabase(t, seed)
	relay := testaccounts.NewRelay(t, database.DSN.Host)
	dsn := *database.DSN
	dsn.Host = relay.Address
	server := authority.Issue("auth-connector")
	service := database.ServeWith(t, testaccounts.Files{CA: authority.CAFile, Cert: server.CertFile, Key: server.KeyFile}, &dsn)
	c := openConnector(t, *dexConfig(t, service.Address, clientFiles(authority, "dex")))
	scopes := connector.Scopes{OfflineAccess: true}
	alice, valid, err := c.Login(elsewhere(t), scopes, "alice", password)
	if err != nil || !valid {
		t.Fatalf("got %t, %v", valid, err)
	}

	// That the service answers, and no deadline of ours ends the call, is what "in time" means here.
	check := func(err error) {
		t.Helper()
		if status.Code(err) != codes.Unavailable || !strings.HasSuffix(err.Error(), "the service answered Unavailable") {
			t.Errorf("got %v", err)
		}
	}
	relay.Cut()
	for _, typed := range []string{password, "incorrect horse battery staple"} {
		_, valid, err = c.Login(elsewhere(t), scopes, "alice", typed)
		if check(err); valid {
			t.Error("it let somebody in")
		}
	}
	_, err = c.Refresh(elsewhere(t), scopes, alice)
	check(err)

	relay.Mend()
	for deadline := time.Now().Add(hang); ; time.Sleep(50 * time.Millisecond) {
		_, valid, err = c.Login(elsewhere(t), scopes, "alice", password)
		if err == nil && valid {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%t, %v; auth-connector's log:\n%s", valid, err, service.Log)
		}
	}
}

func TestContractOnlyDexMayCall(t *testing.T) {
	c, foreign := newContract(t), testpki.New(t)
	stranger := foreign.Issue("dex")
	for name, files := range map[string]testaccounts.Files{
		"another name":      clientFiles(c.authority, "chat-api"),
		"another authority": {CA: c.authority.CAFile, Cert: stranger.CertFile, Key: stranger.KeyFile},
	} {
		t.Run(name, func(t *testing.T) {
			intruder := openConnector(t, *dexConfig(t, c.service.Address, files))
			_, valid, err := intruder.Login(elsewhere(t), connector.Scopes{}, "alice", password)
			if valid || status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), "no answer") {
				t.Errorf("got %t, %v", valid, err)
			}
		})
	}
	c.logIn(t, connector.Scopes{}, "alice")
	if logins := c.service.Logins(t); logins != 1 {
		t.Errorf("%d people were let in", logins)
	}
}
