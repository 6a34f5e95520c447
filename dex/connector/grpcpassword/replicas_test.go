package grpcpassword

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/status"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

// hang is how long a condition may take before the test gives up; it says nothing about speed.
const hang = 30 * time.Second

// replicas are two services, and a name that stands for both.
func replicas(t *testing.T) (a, b *service, dial grpc.DialOption) {
	t.Helper()
	a, b = &service{login: loginOK}, &service{login: loginOK}
	var state resolver.State
	for _, replica := range []*service{a, b} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		replica.serve(t, listener)
		state.Endpoints = append(state.Endpoints, resolver.Endpoint{Addresses: []resolver.Address{{Addr: listener.Addr().String()}}})
	}
	names := manual.NewBuilderWithScheme("dns") // in place of grpc-go's own
	names.InitialState(state)
	return a, b, grpc.WithResolvers(names)
}

func (s *service) count() int { return int(s.calls.Load()) }

func TestReplicasShareTheLogins(t *testing.T) {
	a, b, dial := replicas(t)
	c := openConnector(t, validConfig(), dial)
	logIn := func() {
		t.Helper()
		if _, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, password); err != nil || !valid {
			t.Fatalf("got %t, %v", valid, err)
		}
	}
	sent := 0
	// The first calls may find one of the two not connected yet.
	for deadline := time.Now().Add(hang); a.count() == 0 || b.count() == 0; sent++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d and %d logins", a.count(), b.count())
		}
		logIn()
	}
	beforeA, beforeB := a.count(), b.count()
	for range 20 {
		logIn()
		sent++
	}
	if toA, toB := a.count()-beforeA, b.count()-beforeB; toA != 10 || toB != 10 {
		t.Errorf("%d and %d of 20 logins", toA, toB)
	}
	if seen := a.count() + b.count(); seen != sent {
		t.Errorf("%d logins were seen, %d sent", seen, sent)
	}
}

func TestALoginIsNotRepeatedAtTheOtherReplica(t *testing.T) {
	a, b, dial := replicas(t)
	a.login = func(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
		return nil, status.Error(codes.Unavailable, "database gone")
	}
	b.login = a.login
	c := openConnector(t, validConfig(), dial)
	for range 20 {
		before := a.count() + b.count()
		_, _, err := c.Login(t.Context(), connector.Scopes{}, alice, password)
		if seen := a.count() + b.count() - before; status.Code(err) != codes.Unavailable || seen != 1 {
			t.Fatalf("%v after %d calls", err, seen)
		}
	}
}

func TestTheOtherReplicaGoesOnWhenOneStops(t *testing.T) {
	a, b, dial := replicas(t)
	c := openConnector(t, validConfig(), dial)
	sent := 0
	logIn := func() error {
		sent++
		_, _, err := c.Login(t.Context(), connector.Scopes{}, alice, password)
		return err
	}
	for deadline := time.Now().Add(hang); a.count() == 0 || b.count() == 0; {
		if err := logIn(); err != nil || time.Now().After(deadline) {
			t.Fatalf("%d and %d logins, %v", a.count(), b.count(), err)
		}
	}
	a.stop()
	failed := 0
	for range 50 {
		if logIn() != nil {
			failed++ // at most the one that was on its way to the replica as it went
		}
	}
	if seen := a.count() + b.count(); failed > 1 || seen > sent || seen < sent-failed {
		t.Errorf("%d logins were seen, %d sent, %d failed", seen, sent, failed)
	}
}

func TestAnAddressWithoutAServiceIsPassedOver(t *testing.T) {
	// localhost is the name that every machine resolves, mostly to two addresses; the service is at one of them.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{login: loginOK}
	s.serve(t, listener)
	config := validConfig()
	config.Host = "dns:///localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	c := openConnector(t, config)
	for range 5 {
		if _, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, password); err != nil || !valid {
			t.Errorf("got %t, %v", valid, err)
		}
	}
}
