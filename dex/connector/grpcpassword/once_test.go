package grpcpassword

import (
	"bytes"
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/dexidp/dex/connector"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

// One attempt of a person must not count twice against the account, whatever the network does.

func TestLoginIsSentOnceEvenIfARetryPolicyIsConfigured(t *testing.T) {
	const retries = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":5,"initialBackoff":"0.001s",
		"maxBackoff":"0.001s","backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	s := &service{login: func(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
		return nil, status.Error(codes.Unavailable, "database gone")
	}}
	c := s.connect(t, validConfig(), grpc.WithDefaultServiceConfig(retries))
	if _, _, err := c.Login(t.Context(), connector.Scopes{}, alice, password); status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	if calls := s.calls.Load(); calls != 1 {
		t.Errorf("sent %d times", calls)
	}
}

func TestLoginIsSentOnceWhateverHappensOnTheWire(t *testing.T) {
	for name, answer := range map[string]func(*http2.Framer, uint32) error{
		"refused stream": func(f *http2.Framer, stream uint32) error {
			return f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		},
		"going away": func(f *http2.Framer, _ uint32) error {
			return f.WriteGoAway(0, http2.ErrCodeNo, nil)
		},
		"connection lost": func(*http2.Framer, uint32) error { return io.EOF },
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			listener := listenHTTP2(t, func(f *http2.Framer, stream uint32) error {
				requests.Add(1)
				return answer(f, stream)
			})
			config := validConfig()
			config.Host = listener.Addr().String()
			_, valid, err := openConnector(t, config).Login(t.Context(), connector.Scopes{}, alice, password)
			if valid || err == nil {
				t.Errorf("got %t, %v", valid, err)
			}
			if sent := requests.Load(); sent != 1 {
				t.Errorf("sent %d times", sent)
			}
		})
	}
}

// listenHTTP2 calls answer for each request body that arrives, until answer fails.
func listenHTTP2(t *testing.T, answer func(*http2.Framer, uint32) error) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serveHTTP2(conn, answer)
			}()
		}
	}()
	return listener
}

func serveHTTP2(conn net.Conn, answer func(*http2.Framer, uint32) error) {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(conn, preface); err != nil || !bytes.Equal(preface, []byte(http2.ClientPreface)) {
		return
	}
	framer := http2.NewFramer(conn, conn)
	if framer.WriteSettings() != nil {
		return
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				err = framer.WriteSettingsAck()
			}
		case *http2.DataFrame:
			err = answer(framer, frame.StreamID)
		}
		if err != nil {
			return
		}
	}
}
