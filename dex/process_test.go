package dex_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
	"localaccounts/dex/internal/testprocess"
)

// buildDex runs the build that everyone runs, once per test run.
var buildDex = sync.OnceValues(func() (string, error) {
	binary, err := filepath.Abs("bin/dex")
	if err != nil {
		return "", err
	}
	if output, err := exec.Command("./build").CombinedOutput(); err != nil {
		return "", fmt.Errorf("dex/build: %w\n%s", err, output)
	}
	return binary, nil
})

func binary(t *testing.T) string {
	t.Helper()
	path, err := buildDex()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// setup is a Dex with our connector on memory storage, and the certificates for its service.
type setup struct {
	authority *testpki.Authority
	// host is where the connector expects the service.
	host string
	// extra is one more line for the connector's config.
	extra string
	// top is one more line for Dex's configuration.
	top string
	// storage is where Dex keeps what it knows.
	storage string
	// approval has people approve of the app.
	approval bool
}

func newSetup(t *testing.T) *setup {
	t.Helper()
	return &setup{authority: testpki.New(t), host: testprocess.FreeAddress(t), storage: "{type: memory}"}
}

// onPostgres keeps what Dex knows in a database of the test's own.
func (s *setup) onPostgres(t *testing.T) *sql.DB {
	t.Helper()
	dsn := testaccounts.EmptyDatabase(t)
	password, _ := dsn.User.Password()
	s.storage = fmt.Sprintf("{type: postgres, config: {host: %q, port: %s, database: %q, user: %q, password: %q, maxOpenConns: 20, ssl: {mode: disable}}}",
		dsn.Hostname(), cmp.Or(dsn.Port(), "5432"), strings.TrimPrefix(dsn.Path, "/"), dsn.User.Username(), password)
	return testaccounts.Open(t, dsn)
}

// serve runs the service where the connector expects it.
func (s *setup) serve(t *testing.T, service connectorv1.PasswordConnectorServer) {
	t.Helper()
	listener, err := net.Listen("tcp", s.host)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(s.authority.ServerTLS(s.authority.Issue("auth-connector")))))
	connectorv1.RegisterPasswordConnectorServer(server, service)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil {
			t.Errorf("test service: %v", err)
		}
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
}

func (s *setup) configuration(t *testing.T, address string) string {
	t.Helper()
	client := s.authority.Issue("dex")
	text := fmt.Sprintf(`
issuer: http://%[1]s/dex
storage: %[9]s
web:
  http: %[1]s
  clientRemoteIP:
    header: X-Real-IP
    trustedProxies: [127.0.0.1/32]
oauth2:
  grantTypes: [authorization_code, refresh_token]
  skipApprovalScreen: %[10]t
connectors:
- type: grpc
  id: local-postgres
  name: Local Accounts
  config:
    host: dns:///%[2]s
    caFile: %[3]q
    certFile: %[4]q
    keyFile: %[5]q
    serverName: auth-connector
    %[6]s
enablePasswordDB: true
staticClients:
- id: chat-app-frontend
  name: Chat
  public: true
  redirectURIs: [%[7]q]
- id: other-app
  name: Other
  public: true
  redirectURIs: [%[7]q]
- id: with-a-secret
  name: With a secret
  secret: its-secret
  redirectURIs: [%[7]q]
%[8]s
`, address, s.host, s.authority.CAFile, client.CertFile, client.KeyFile, s.extra, callback, s.top, s.storage, !s.approval)
	path := filepath.Join(t.TempDir(), "dex.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// process is a running Dex.
type process struct {
	*testprocess.Process
	issuer string
}

// start runs Dex and returns when it answers or has ended.
func (s *setup) start(t *testing.T) *process {
	t.Helper()
	path := binary(t)
	environment := append(os.Environ(), "DEX_CONTINUE_ON_CONNECTOR_FAILURE=false")
	// Dex cannot tell which port the kernel gave it, so it gets one that was free a moment ago.
	for range 5 {
		address := testprocess.FreeAddress(t)
		p := &process{issuer: "http://" + address + "/dex"}
		p.Process = testprocess.Start(t, environment, path, "serve", s.configuration(t, address))
		p.waitUntilReady(t)
		if !strings.Contains(p.Log.String(), "address already in use") {
			return p
		}
	}
	t.Fatal("found no free port")
	return nil
}

func (p *process) waitUntilReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(testprocess.Hang); time.Now().Before(deadline); {
		response, err := http.Get(p.issuer + "/healthz")
		if err == nil {
			_ = response.Body.Close()
			return
		}
		select {
		case <-p.Ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("Dex does not answer; its log:\n%s", p.Log)
}
