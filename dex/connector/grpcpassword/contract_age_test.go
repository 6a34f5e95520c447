package grpcpassword

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
)

// Dex keeps one connection to each replica for as long as it runs, and auth-connector ends each by its age, so that a
// new replica gets its share: nobody who signs in or refreshes at that moment may notice.
func TestContractAConnectionEndsByItsAgeAndNoCallFails(t *testing.T) {
	authority, database := testpki.New(t), testaccounts.NewDatabase(t, seed)
	leaf := authority.Issue("auth-connector")
	files := testaccounts.Files{CA: authority.CAFile, Cert: leaf.CertFile, Key: leaf.KeyFile}
	service := database.ServeWith(t, files, database.DSN, "CONNECTOR_CONNECTION_AGE=1")
	config := dexConfig(t, service.Address, clientFiles(authority, "dex"))
	security, err := config.credentials(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	// The load's first connector stands; those after it are closed before they are old.
	var connections atomic.Int32
	var first sync.Once
	counted := grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		connections.Add(1)
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	})
	load := startLoad(t, func() *passwordConnector {
		options := dialOptions(security)
		first.Do(func() { options = append(options, counted) })
		c, err := newPasswordConnector("local-postgres", *config, options)
		if err != nil {
			t.Error(err)
		}
		return c
	})

	for deadline := time.Now().Add(hang); connections.Load() < 5; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections: none ended by its age; auth-connector's log:\n%s", connections.Load(), service.Log)
		}
	}
	load.stop()
	if load.sent < 100 || load.succeeded != load.sent {
		t.Errorf("%d calls, %d of them succeeded: %v; auth-connector's log:\n%s", load.sent, load.succeeded, load.failure, service.Log)
	}
}
