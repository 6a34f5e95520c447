package grpcpassword

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
	"localaccounts/dex/internal/testpki"
)

// renewing is a service that ends each connection after a moment, in order, so that its caller
// makes new ones all the time; and a connector whose certificate files can be replaced.
type renewing struct {
	t           *testing.T
	connector   *passwordConnector
	ca, cert    string
	key         string
	log         *lockedBuffer
	tls         atomic.Pointer[tls.Config]
	connections atomic.Int32
	client      atomic.Pointer[[]byte] // the certificate of the last caller
}

func newRenewing(t *testing.T, authority *testpki.Authority, server, client testpki.Leaf) *renewing {
	t.Helper()
	dir := t.TempDir()
	r := &renewing{
		t: t, log: &lockedBuffer{},
		ca: filepath.Join(dir, "ca.pem"), cert: filepath.Join(dir, "tls.pem"), key: filepath.Join(dir, "tls.key"),
	}
	r.put(r.ca, content(t, authority.CAFile))
	r.put(r.cert, content(t, client.CertFile))
	r.put(r.key, content(t, client.KeyFile))
	r.serveWith(server, content(t, authority.CAFile))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{login: func(ctx context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
		if caller, ok := peer.FromContext(ctx); ok {
			r.client.Store(&caller.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Raw)
		}
		return loginOK(ctx, request)
	}}
	s.serve(t, listener, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 10 * time.Millisecond}),
		grpc.Creds(credentials.NewTLS(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			r.connections.Add(1)
			return r.tls.Load(), nil
		}})))

	config := validConfig()
	config.Insecure, config.Host, config.ServerName = false, listener.Addr().String(), "auth-connector"
	config.CAFile, config.CertFile, config.KeyFile = r.ca, r.cert, r.key
	r.connector, err = config.open("local-postgres", slog.New(slog.NewTextHandler(r.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.connector.conn.Close() })
	return r
}

// serveWith sets the service's certificate and the authorities of its callers, for new connections.
func (r *renewing) serveWith(leaf testpki.Leaf, authorities ...string) {
	callers := x509.NewCertPool()
	callers.AppendCertsFromPEM([]byte(strings.Join(authorities, "")))
	r.tls.Store(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{leaf.Certificate}, NextProtos: []string{"h2"},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: callers,
	})
}

// logInUntil logs in, again and again, and every login succeeds.
func (r *renewing) logInUntil(what string, met func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(hang); !met(); {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s; log:\n%s", what, r.log)
		}
		if _, valid, err := r.connector.Login(r.t.Context(), connector.Scopes{}, alice, password); err != nil || !valid {
			r.t.Fatalf("on the way to %q: %t, %v; log:\n%s", what, valid, err, r.log)
		}
	}
}

// newConnections is met when that many connections more were made.
func (r *renewing) newConnections(more int32) func() bool {
	want := r.connections.Load() + more
	return func() bool { return r.connections.Load() >= want }
}

func (r *renewing) callerIs(leaf testpki.Leaf) func() bool {
	return func() bool {
		seen := r.client.Load()
		return seen != nil && bytes.Equal(*seen, leaf.Certificate.Certificate[0])
	}
}

func (r *renewing) put(path, text string) {
	r.t.Helper()
	replaceFile(r.t, path, text)
}

// replaceFile replaces a file as a whole, so that what is read between two of them is certain.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestCertificatesAreRenewedUnderCalls(t *testing.T) {
	old, fresh := testpki.New(t), testpki.New(t)
	oldClient, freshClient := old.Issue("dex"), fresh.Issue("dex")
	oldCA, freshCA := content(t, old.CAFile), content(t, fresh.CAFile)
	r := newRenewing(t, old, old.Issue("auth-connector"), oldClient)
	r.logInUntil("the old certificate is shown", r.callerIs(oldClient))

	// As an operator does it: both authorities first, then the certificates, then the new authority alone.
	r.put(r.ca, oldCA+freshCA)
	r.serveWith(fresh.Issue("auth-connector"), oldCA, freshCA)
	r.logInUntil("the service's new certificate is accepted", r.newConnections(3))
	r.put(r.cert, content(t, freshClient.CertFile))
	r.logInUntil("the old pair is in use while the new one is half written", r.newConnections(3))
	if r.callerIs(freshClient)() {
		t.Error("half a pair was used")
	}
	r.put(r.key, content(t, freshClient.KeyFile))
	r.logInUntil("the new certificate is shown", r.callerIs(freshClient))
	r.put(r.ca, freshCA)
	r.serveWith(fresh.Issue("auth-connector"), freshCA)
	r.logInUntil("the old authority is gone", r.newConnections(3))
	if log := r.log.String(); strings.Count(log, "have changed") != 3 || !strings.Contains(log, "connector_id=local-postgres") {
		t.Errorf("log:\n%s", log)
	}
}

func TestARemovedAuthorityIsBelievedNoMore(t *testing.T) {
	old, fresh := testpki.New(t), testpki.New(t)
	r := newRenewing(t, old, old.Issue("auth-connector"), old.Issue("dex"))
	r.logInUntil("it works", r.newConnections(1))
	r.put(r.ca, content(t, fresh.CAFile))
	for deadline := time.Now().Add(hang); ; {
		_, _, err := r.connector.Login(t.Context(), connector.Scopes{}, alice, password)
		if err != nil && strings.Contains(err.Error(), "unknown authority") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %v", err)
		}
	}
}

func TestFilesThatCannotBeUsedChangeNothing(t *testing.T) {
	authority := testpki.New(t)
	server, client, other := authority.Issue("auth-connector"), authority.Issue("dex"), authority.Issue("other")
	for name, test := range map[string]struct {
		file func(*renewing) string
		text string // "" removes the file
		want string // in the log
	}{
		"authorities are no PEM":        {func(r *renewing) string { return r.ca }, "garbage", "caFile"},
		"authorities are gone":          {func(r *renewing) string { return r.ca }, "", "caFile"},
		"certificate is no PEM":         {func(r *renewing) string { return r.cert }, "garbage", "certFile"},
		"certificate is gone":           {func(r *renewing) string { return r.cert }, "", "certFile"},
		"certificate of another key":    {func(r *renewing) string { return r.cert }, content(t, other.CertFile), "keyFile"},
		"key is no PEM":                 {func(r *renewing) string { return r.key }, "garbage", "keyFile"},
		"key is gone":                   {func(r *renewing) string { return r.key }, "", "keyFile"},
		"key of another certificate":    {func(r *renewing) string { return r.key }, content(t, other.KeyFile), "keyFile"},
		"key where the certificate was": {func(r *renewing) string { return r.cert }, content(t, client.KeyFile), "certFile"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRenewing(t, authority, server, client)
			r.logInUntil("it works", r.newConnections(1))
			path := test.file(r)
			right := content(t, path)
			if test.text == "" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				r.put(path, test.text)
			}
			r.logInUntil("several connections are made with the old ones", r.newConnections(4))
			if log := r.log.String(); strings.Count(log, "cannot be used") != 1 || !strings.Contains(log, test.want) || strings.Contains(log, "PRIVATE") {
				t.Errorf("log:\n%s", log)
			}
			r.put(path, right)
			r.logInUntil("it works on", r.newConnections(2))
		})
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.String()
}
