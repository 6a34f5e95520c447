package grpcpassword

import (
	"sync"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
)

// newReplicas are two processes of auth-connector on one database, and a connector for the name of both.
func newReplicas(t *testing.T) (a, b *testaccounts.Service, c *contract) {
	t.Helper()
	authority, database := testpki.New(t), testaccounts.NewDatabase(t, seed)
	a, b = database.Serve(t, authority), database.Serve(t, authority)
	names := manual.NewBuilderWithScheme("dns") // in place of grpc-go's own
	names.InitialState(resolver.State{Endpoints: []resolver.Endpoint{
		{Addresses: []resolver.Address{{Addr: a.Address}}},
		{Addresses: []resolver.Address{{Addr: b.Address}}},
	}})
	config := dexConfig(t, "dns:///auth-connector:5557", clientFiles(authority, "dex"))
	return a, b, &contract{
		passwordConnector: openConnector(t, *config, grpc.WithResolvers(names)),
		database:          database,
		service:           a,
		authority:         authority,
	}
}

// logInUntilBoth connections are in use, and tells the request ids of these logins.
func logInUntilBoth(t *testing.T, a, b *testaccounts.Service, c *contract) (ids []string) {
	t.Helper()
	for deadline := time.Now().Add(hang); a.Logins(t) == 0 || b.Logins(t) == 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d and %d logins", a.Logins(t), b.Logins(t))
		}
		ids = append(ids, c.logInOnce(t))
	}
	return ids
}

// logInOnce tells the request id.
func (c *contract) logInOnce(t *testing.T) string {
	t.Helper()
	from := newAttempt()
	if _, valid, err := c.Login(from.context(t), connector.Scopes{}, "alice", password); err != nil || !valid {
		t.Fatalf("got %t, %v", valid, err)
	}
	return from.id
}

// audited counts the audit trail's lines about a request.
func (c *contract) audited(t *testing.T, id string) (lines int) {
	t.Helper()
	if err := c.database.QueryRow("select count(*) from audit_events where request_id = $1", id).Scan(&lines); err != nil {
		t.Fatal(err)
	}
	return lines
}

// checkAudited waits for the trail, which is written beside the answers, to have a line for each of these requests,
// and one only.
func (c *contract) checkAudited(t *testing.T, ids []string) {
	t.Helper()
	deadline := time.Now().Add(hang)
	for _, id := range ids {
		for c.audited(t, id) == 0 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if lines := c.audited(t, id); lines != 1 {
			t.Errorf("%d lines about %s", lines, id)
		}
	}
}

func TestContractReplicasShareTheLogins(t *testing.T) {
	a, b, c := newReplicas(t)
	ids := logInUntilBoth(t, a, b, c)
	beforeA, beforeB := a.Logins(t), b.Logins(t)
	for range 10 {
		ids = append(ids, c.logInOnce(t))
	}
	if gotA, gotB := a.Logins(t)-beforeA, b.Logins(t)-beforeB; gotA != 5 || gotB != 5 {
		t.Errorf("of ten logins one replica had %d and the other %d", gotA, gotB)
	}
	c.checkAudited(t, ids)
}

func TestContractAReplicaThatDiesWithLoginsLosesThemAndNoneIsSentAgain(t *testing.T) {
	a, b, c := newReplicas(t)
	before := logInUntilBoth(t, a, b, c)
	c.checkAudited(t, before)

	// One replica takes its share of the logins and does nothing with it, until it is killed.
	a.Freeze()
	type outcome struct {
		id    string
		valid bool
		err   error
	}
	const logins = 20
	outcomes := make(chan outcome, logins)
	var sent sync.WaitGroup
	for range logins {
		sent.Go(func() {
			from := newAttempt()
			_, valid, err := c.Login(from.context(t), connector.Scopes{}, "alice", password)
			outcomes <- outcome{from.id, valid, err}
		})
	}
	var served, lost []string
	take := func(o outcome) {
		if o.err == nil && o.valid {
			served = append(served, o.id)
		} else if lost = append(lost, o.id); status.Code(o.err) != codes.Unavailable {
			t.Errorf("%s: %t, %v", o.id, o.valid, o.err)
		}
	}
	// The replicas take turns: when one has answered its half, the other has all of its own. A busy machine cannot hash
	// all of that half in time, and says so.
	for range logins / 2 {
		take(<-outcomes)
	}
	a.Kill()
	sent.Wait()
	close(outcomes)
	for o := range outcomes {
		take(o)
	}

	if len(served) == 0 || len(lost) == 0 || len(served)+len(lost) != logins {
		t.Errorf("%d served, %d lost", len(served), len(lost))
	}
	for range 10 {
		served = append(served, c.logInOnce(t)) // the other goes on alone
	}
	c.checkAudited(t, served)
	for _, id := range lost {
		if lines := c.audited(t, id); lines != 0 {
			t.Errorf("%s was lost with its replica and is audited %d times: it was sent again", id, lines)
		}
	}
}
