package grpcpassword

import (
	"net"
	"strings"
	"testing"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"localaccounts/dex/internal/testpki"
)

func TestOnlyTheRightCertificatesTalk(t *testing.T) {
	ours, foreign := testpki.New(t), testpki.New(t)
	server := ours.Issue("auth-connector")
	client, stranger := ours.Issue("dex"), foreign.Issue("dex")
	right := func(config *Config) {
		config.Insecure = false
		config.ServerName = "auth-connector"
		config.CAFile, config.CertFile, config.KeyFile = ours.CAFile, client.CertFile, client.KeyFile
	}
	for name, test := range map[string]struct {
		change func(*Config)
		want   string // in the error; "" means that the login succeeds
	}{
		"right": {right, ""},
		"server of a foreign authority": {func(c *Config) {
			right(c)
			c.CAFile = foreign.CAFile
		}, "unknown authority"},
		"server with another name": {func(c *Config) {
			right(c)
			c.ServerName = "elsewhere"
		}, "elsewhere"},
		"client of a foreign authority": {func(c *Config) {
			right(c)
			c.CertFile, c.KeyFile = stranger.CertFile, stranger.KeyFile
		}, "no answer"},
		"client without TLS": {func(*Config) {}, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &service{login: loginOK}
			s.serve(t, listener, grpc.Creds(credentials.NewTLS(ours.ServerTLS(server))))
			config := validConfig()
			config.Host = listener.Addr().String()
			test.change(&config)
			_, valid, err := openConnector(t, config).Login(t.Context(), connector.Scopes{}, alice, password)
			if test.want == "" {
				if err != nil || !valid {
					t.Errorf("got %t, %v", valid, err)
				}
				return
			}
			if valid || status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %t, %v, want %q", valid, err, test.want)
			}
			if s.calls.Load() != 0 {
				t.Error("the service saw the password")
			}
		})
	}
}
