package grpcpassword

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"

	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
)

// Acceptance 13: certificates are replaced on both sides, the authority among them, while 100 calls a second come in,
// and no call fails.
func TestContractCertificateRotationUnderLoadFailsNoCall(t *testing.T) {
	database := testaccounts.NewDatabase(t, seed)
	old, renewed := testpki.New(t), testpki.New(t)
	server, client := newRotated(t, "auth-connector"), newRotated(t, "dex")
	for _, side := range []rotated{server, client} {
		side.trust(old)
		side.issue(old)
	}
	service := database.ServeWith(t, server.files, database.DSN)
	config := dexConfig(t, service.Address, client.files)
	// As in Dex, the files are opened once, and followed for each connection after that.
	security, err := config.credentials(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dial := func() *passwordConnector {
		c, err := newPasswordConnector("local-postgres", *config, dialOptions(security))
		if err != nil {
			t.Error(err)
		}
		return c
	}
	load := startLoad(t, dial)

	// Both trust both authorities before either shows a certificate of the new one; then the old one goes.
	server.trust(old, renewed)
	client.trust(old, renewed)
	witness := clientFiles(renewed, "dex")
	witness.CA = client.files.CA
	accepts(t, service, "a caller with a renewed certificate", witness, true)
	server.issue(renewed)
	client.issue(renewed)
	witness.CA = renewed.CAFile
	accepts(t, service, "a caller that trusts the new authority alone", witness, true)
	server.trust(renewed)
	client.trust(renewed)
	leaver := clientFiles(old, "dex")
	leaver.CA = renewed.CAFile
	accepts(t, service, "a caller with an old certificate", leaver, false)
	// Connections made now have nothing of the old authority on either side.
	load.until(load.count() + 100)

	load.stop()
	if load.sent < 200 || load.succeeded != load.sent {
		t.Errorf("%d calls, %d of them succeeded: %v; auth-connector's log:\n%s", load.sent, load.succeeded, load.failure, service.Log)
	}
}

// rotated is one side's files, replaced one by one as a mount or a script would.
type rotated struct {
	t     *testing.T
	name  string
	files testaccounts.Files
}

func newRotated(t *testing.T, name string) rotated {
	dir := t.TempDir()
	return rotated{t, name, testaccounts.Files{
		CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "tls.pem"), Key: filepath.Join(dir, "tls.key"),
	}}
}

// trust replaces the authorities of the peers.
func (r rotated) trust(authorities ...*testpki.Authority) {
	bundle := ""
	for _, authority := range authorities {
		bundle += content(r.t, authority.CAFile)
	}
	replaceFile(r.t, r.files.CA, bundle)
}

// issue replaces certificate and key. In between they do not fit together.
func (r rotated) issue(authority *testpki.Authority) {
	leaf := authority.Issue(r.name)
	replaceFile(r.t, r.files.Cert, content(r.t, leaf.CertFile))
	replaceFile(r.t, r.files.Key, content(r.t, leaf.KeyFile))
}

// accepts waits until the service does, or does not any more, let a caller with these files in.
func accepts(t *testing.T, service *testaccounts.Service, who string, files testaccounts.Files, want bool) {
	t.Helper()
	for deadline := time.Now().Add(hang); ; time.Sleep(50 * time.Millisecond) {
		caller := openConnector(t, *dexConfig(t, service.Address, files))
		_, _, err := caller.Login(elsewhere(t), connector.Scopes{}, "", "") // reaches no account
		_ = caller.conn.Close()
		if (err == nil) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v; auth-connector's log:\n%s", who, err, service.Log)
		}
	}
}

// load is a hundred calls a second: refreshes, one in a hundred a login, and one in ten on a new connection.
type load struct {
	mutex           sync.Mutex
	sent, succeeded int
	failure         error
	calls           sync.WaitGroup
	end, ended      chan struct{}
	t               *testing.T
}

func startLoad(t *testing.T, dial func() *passwordConnector) *load {
	t.Helper()
	l := &load{t: t, end: make(chan struct{}), ended: make(chan struct{})}
	standing := dial()
	t.Cleanup(func() { _ = standing.conn.Close() })
	alice, valid, err := standing.Login(elsewhere(t), connector.Scopes{}, "alice", password)
	if err != nil || !valid {
		t.Fatalf("got %t, %v", valid, err)
	}
	call := func(n int) error {
		c := standing
		if n%10 == 0 {
			c = dial()
			defer func() { _ = c.conn.Close() }()
		}
		if n%100 == 0 {
			_, valid, err := c.Login(elsewhere(t), connector.Scopes{}, "alice", password)
			if err == nil && !valid {
				return errors.New("refused")
			}
			return err
		}
		_, err := c.Refresh(elsewhere(t), connector.Scopes{}, alice)
		return err
	}
	go func() {
		defer close(l.ended)
		ticks := time.NewTicker(10 * time.Millisecond)
		defer ticks.Stop()
		for n := 0; ; n++ {
			select {
			case <-l.end:
				return
			case <-ticks.C:
			}
			l.calls.Go(func() { l.record(call(n)) })
		}
	}()
	return l
}

func (l *load) record(err error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.sent++
	if err == nil {
		l.succeeded++
	} else if l.failure == nil {
		l.failure = err
	}
}

func (l *load) count() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.sent
}

// until waits for that many calls to have ended.
func (l *load) until(calls int) {
	l.t.Helper()
	for deadline := time.Now().Add(hang); l.count() < calls; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d calls have ended, not %d", l.count(), calls)
		}
	}
}

// stop sends no more calls and waits for those under way.
func (l *load) stop() {
	close(l.end)
	<-l.ended
	l.calls.Wait()
}
