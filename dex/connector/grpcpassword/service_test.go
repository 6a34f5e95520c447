package grpcpassword

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

// service is a real gRPC server with answers of the test's choice.
type service struct {
	connectorv1.UnimplementedPasswordConnectorServer
	login   func(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error)
	refresh func(context.Context, *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error)
	calls   atomic.Int32
	// stop ends the service and its connections.
	stop func()
}

func (s *service) Login(ctx context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
	s.calls.Add(1)
	return s.login(ctx, request)
}

func (s *service) Refresh(ctx context.Context, request *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
	s.calls.Add(1)
	return s.refresh(ctx, request)
}

// serve runs the service on the listener until the test ends.
func (s *service) serve(t *testing.T, listener net.Listener, options ...grpc.ServerOption) {
	server := grpc.NewServer(options...)
	connectorv1.RegisterPasswordConnectorServer(server, s)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); err != nil {
			t.Errorf("test service: %v", err)
		}
	}()
	s.stop = func() {
		server.Stop()
		<-done
	}
	t.Cleanup(s.stop)
}

// connect opens the connector "local-postgres" on the service, over memory.
func (s *service) connect(t *testing.T, config Config, options ...grpc.DialOption) *passwordConnector {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	s.serve(t, listener)
	dial := grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	})
	return openConnector(t, config, append(options, dial)...)
}

func openConnector(t *testing.T, config Config, options ...grpc.DialOption) *passwordConnector {
	t.Helper()
	opened, err := config.open("local-postgres", slog.New(slog.DiscardHandler), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.conn.Close() })
	return opened
}
