package testaccounts

import (
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"localaccounts/dex/internal/testpki"
	"localaccounts/dex/internal/testprocess"
)

// Files are the files of an identity and of the authority that signs its peers.
type Files struct{ CA, Cert, Key string }

// Service is a running replica of auth-connector.
type Service struct {
	*testprocess.Process
	// Address is where it answers Dex.
	Address string
	admin   string
}

// Serve runs a replica whose certificate bears the name "auth-connector", and returns when it is ready.
func (d *Database) Serve(t *testing.T, authority *testpki.Authority) *Service {
	t.Helper()
	leaf := authority.Issue("auth-connector")
	return d.ServeWith(t, Files{CA: authority.CAFile, Cert: leaf.CertFile, Key: leaf.KeyFile}, d.DSN)
}

// ServeWith runs a replica with these files, which reaches the database at this address. Settings are variables and
// their values, as in "NAME=value".
func (d *Database) ServeWith(t *testing.T, files Files, dsn *url.URL, settings ...string) *Service {
	t.Helper()
	for range 5 {
		s := &Service{Address: testprocess.FreeAddress(t), admin: testprocess.FreeAddress(t)}
		// Of a variable that is there twice, the last counts.
		environment := append(d.environment(),
			"ROLES=login",
			"POSTGRES_DSN="+dsn.String(),
			"CONNECTOR_GRPC_LISTEN="+s.Address,
			"ADMIN_LISTEN="+s.admin,
			"TLS_CERT_FILE="+files.Cert,
			"TLS_KEY_FILE="+files.Key,
			"TLS_CA_FILE="+files.CA,
		)
		environment = append(environment, settings...)
		s.Process = testprocess.Start(t, environment, program(t), "serve")
		if s.becomesReady(t) {
			return s
		}
		if !strings.Contains(s.Log.String(), "cannot be bound") {
			t.Fatalf("auth-connector ended; its log:\n%s", s.Log)
		}
	}
	t.Fatal("found no free port")
	return nil
}

// becomesReady tells whether it lived to be ready.
func (s *Service) becomesReady(t *testing.T) bool {
	t.Helper()
	for deadline := time.Now().Add(testprocess.Hang); time.Now().Before(deadline); {
		if status, _ := s.ask("/ready"); status == http.StatusOK {
			return true
		}
		select {
		case <-s.Ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatalf("auth-connector is not ready; its log:\n%s", s.Log)
	return false
}

var loginOK = regexp.MustCompile(`(?m)^auth_events_total\{[^}]*event="login\.ok"[^}]*\} (\d+)$`)

// Logins is how many people this replica let in.
func (s *Service) Logins(t *testing.T) (count int) {
	t.Helper()
	_, metrics := s.ask("/metrics")
	for _, series := range loginOK.FindAllStringSubmatch(metrics, -1) {
		value, err := strconv.Atoi(series[1])
		if err != nil {
			t.Fatal(err)
		}
		count += value
	}
	return count
}

// ask gives status 0 when nobody answers.
func (s *Service) ask(path string) (status int, body string) {
	response, err := http.Get("http://" + s.admin + path)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}
