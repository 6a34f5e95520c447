package grpcpassword

import (
	"context"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

const (
	alice    = "alice"
	password = "correct horse battery staple"
)

var aliceOnTheWire = &connectorv1.Identity{
	UserId:            "3f0cbd0e-3f6b-4b8f-9f2e-0c2f4f4b7d11",
	Username:          "Alice Example",
	PreferredUsername: "alice",
	Email:             "alice@example.com",
	EmailVerified:     true,
	Groups:            []string{"admins", "users"},
	ConnectorData:     []byte{0, 1, 0xff},
}

var aliceForDex = connector.Identity{
	UserID:            "3f0cbd0e-3f6b-4b8f-9f2e-0c2f4f4b7d11",
	Username:          "Alice Example",
	PreferredUsername: "alice",
	Email:             "alice@example.com",
	EmailVerified:     true,
	Groups:            []string{"admins", "users"},
	ConnectorData:     []byte{0, 1, 0xff},
}

func loginOK(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
	return &connectorv1.LoginResponse{ValidPassword: true, Identity: aliceOnTheWire}, nil
}

func TestLoginHandsTheIdentityToDex(t *testing.T) {
	c := (&service{login: loginOK}).connect(t, validConfig())
	identity, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, password)
	if err != nil || !valid || !reflect.DeepEqual(identity, aliceForDex) {
		t.Errorf("got %+v, %t, %v", identity, valid, err)
	}
}

func TestLoginForwardsWhatWasTypedTheScopesAndTheOrigin(t *testing.T) {
	for name, scopes := range map[string]connector.Scopes{
		"none":           {},
		"groups":         {Groups: true},
		"offline_access": {OfflineAccess: true},
		"both":           {Groups: true, OfflineAccess: true},
	} {
		t.Run(name, func(t *testing.T) {
			var got *connectorv1.LoginRequest
			config := validConfig()
			config.RemoteIP = func(context.Context) string { return "2001:db8::1" }
			config.RequestID = func(context.Context) string { return "request-1" }
			c := (&service{login: func(_ context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
				got = request
				return &connectorv1.LoginResponse{}, nil
			}}).connect(t, config)
			if _, _, err := c.Login(t.Context(), scopes, " Alice ", " pässword "); err != nil {
				t.Fatal(err)
			}
			want := &connectorv1.LoginRequest{
				Username: " Alice ",
				Password: " pässword ",
				Scopes:   &connectorv1.Scopes{Groups: scopes.Groups, OfflineAccess: scopes.OfflineAccess},
				Origin:   &connectorv1.Origin{ConnectorId: "local-postgres", RemoteIp: "2001:db8::1", RequestId: "request-1"},
			}
			if !proto.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestLoginSaysUnknownWhenDexKnowsNoOrigin(t *testing.T) {
	var origin *connectorv1.Origin
	c := (&service{login: func(_ context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
		origin = request.GetOrigin()
		return &connectorv1.LoginResponse{}, nil
	}}).connect(t, validConfig())
	if _, _, err := c.Login(t.Context(), connector.Scopes{}, alice, password); err != nil {
		t.Fatal(err)
	}
	if origin.GetRemoteIp() != "" || origin.GetRequestId() != "" || origin.GetConnectorId() != "local-postgres" {
		t.Errorf("got %v", origin)
	}
}

func TestRefusedLoginIsNoError(t *testing.T) {
	// An identity beside a refusal would break the contract; it must not get through either.
	for name, identity := range map[string]*connectorv1.Identity{"as agreed": nil, "with an identity": aliceOnTheWire} {
		t.Run(name, func(t *testing.T) {
			c := (&service{login: func(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
				return &connectorv1.LoginResponse{Identity: identity}, nil
			}}).connect(t, validConfig())
			got, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, "wrong")
			if err != nil || valid || !reflect.DeepEqual(got, connector.Identity{}) {
				t.Errorf("got %+v, %t, %v", got, valid, err)
			}
		})
	}
}

func TestWhatNobodyCanTypeIsRefusedWithoutACall(t *testing.T) {
	for name, typed := range map[string]struct{ username, password string }{
		"name no UTF-8":     {"ali\xffce", password},
		"password no UTF-8": {alice, "\xc3\x28"},
		"name endless":      {strings.Repeat("a", 16<<10+1), password},
		"password endless":  {alice, strings.Repeat("a", 16<<10+1)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &service{login: loginOK}
			_, valid, err := s.connect(t, validConfig()).Login(t.Context(), connector.Scopes{}, typed.username, typed.password)
			if valid || err != nil || s.calls.Load() != 0 {
				t.Errorf("got %t, %v after %d calls", valid, err, s.calls.Load())
			}
		})
	}
}

func TestOutageIsAnErrorThatRepeatsNothingTyped(t *testing.T) {
	for _, code := range []codes.Code{
		codes.Unavailable, codes.ResourceExhausted, codes.PermissionDenied, codes.InvalidArgument, codes.Internal,
	} {
		t.Run(code.String(), func(t *testing.T) {
			s := &service{login: func(_ context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
				return nil, status.Errorf(code, "no luck for %s with %s", request.GetUsername(), request.GetPassword())
			}}
			_, valid, err := s.connect(t, validConfig()).Login(t.Context(), connector.Scopes{}, alice, password)
			if valid || status.Code(err) != code {
				t.Fatalf("got %t, %v", valid, err)
			}
			if strings.Contains(err.Error(), alice) || strings.Contains(err.Error(), password) {
				t.Errorf("leaks: %v", err)
			}
			if !strings.Contains(err.Error(), "local-postgres") || !strings.Contains(err.Error(), code.String()) {
				t.Errorf("says too little: %v", err)
			}
			if calls := s.calls.Load(); calls != 1 {
				t.Errorf("sent %d times", calls)
			}
		})
	}
}

func TestLoginWithoutIdentityIsAnError(t *testing.T) {
	for name, identity := range map[string]*connectorv1.Identity{"none": nil, "no user id": {Username: "x"}} {
		t.Run(name, func(t *testing.T) {
			c := (&service{login: func(context.Context, *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
				return &connectorv1.LoginResponse{ValidPassword: true, Identity: identity}, nil
			}}).connect(t, validConfig())
			if _, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, password); valid || err == nil {
				t.Errorf("got %t, %v", valid, err)
			}
		})
	}
}

func TestLoginEndsWithItsDeadline(t *testing.T) {
	config := validConfig()
	config.LoginTimeout = 50 * time.Millisecond
	frozen := &service{login: func(ctx context.Context, _ *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
		<-ctx.Done() // the deadline travels along: the service stops working too
		return nil, status.FromContextError(ctx.Err()).Err()
	}}
	for name, c := range map[string]*passwordConnector{
		"service does not answer": frozen.connect(t, config),
		"network swallows": openConnector(t, config, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, valid, err := c.Login(ctx, connector.Scopes{}, alice, password)
			if valid || status.Code(err) != codes.DeadlineExceeded || ctx.Err() != nil {
				t.Errorf("got %t, %v", valid, err)
			}
		})
	}
}

func TestPromptComesFromMemory(t *testing.T) {
	config := validConfig()
	config.Prompt = "Benutzername"
	s := &service{}
	if prompt := s.connect(t, config).Prompt(); prompt != "Benutzername" || s.calls.Load() != 0 {
		t.Errorf("got %q after %d calls", prompt, s.calls.Load())
	}
}

func TestOpenDoesNotDial(t *testing.T) {
	c := openConnector(t, validConfig(), grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
		t.Error("dialled")
		return nil, net.ErrClosed
	}))
	if state := c.conn.GetState(); state != connectivity.Idle {
		t.Errorf("the connection is %s", state)
	}
}

func TestWhereACallComesFromNeverFailsIt(t *testing.T) {
	for name, test := range map[string]struct{ ip, id, wantIP, wantID string }{
		"IPv4":                   {ip: "192.0.2.7", wantIP: "192.0.2.7"},
		"IPv6 in another form":   {ip: "2001:DB8:0::1", wantIP: "2001:db8::1"},
		"a zone":                 {ip: "fe80::1%eth0", wantIP: "fe80::1"},
		"an endless zone":        {ip: "fe80::1%" + strings.Repeat("a", 64<<10), wantIP: "fe80::1"},
		"a zone of no UTF-8":     {ip: "fe80::1%\xff", wantIP: "fe80::1"},
		"a port":                 {ip: "192.0.2.7:443"},
		"a list":                 {ip: "192.0.2.7, 198.51.100.1"},
		"a name":                 {ip: "unknown"},
		"no UTF-8":               {ip: "\xff"},
		"a UUID":                 {id: "6b1f0a52-4a0f-4f5c-9a51-0d3a4a8f1c55", wantID: "6b1f0a52-4a0f-4f5c-9a51-0d3a4a8f1c55"},
		"an endless id":          {id: strings.Repeat("a", 129)},
		"an id of two lines":     {id: "a\nb"},
		"an id of no UTF-8":      {id: "\xff"},
		"an id with a NUL":       {id: "a\x00b"},
		"the longest id":         {id: strings.Repeat("a", 128), wantID: strings.Repeat("a", 128)},
		"an id beyond ASCII, C1": {id: "a\u0085b"},
	} {
		t.Run(name, func(t *testing.T) {
			var origins []*connectorv1.Origin
			config := validConfig()
			config.RemoteIP = func(context.Context) string { return test.ip }
			config.RequestID = func(context.Context) string { return test.id }
			c := (&service{
				login: func(ctx context.Context, request *connectorv1.LoginRequest) (*connectorv1.LoginResponse, error) {
					origins = append(origins, request.GetOrigin())
					return loginOK(ctx, request)
				},
				refresh: func(_ context.Context, request *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
					origins = append(origins, request.GetOrigin())
					return &connectorv1.RefreshResponse{Identity: aliceOnTheWire}, nil
				},
			}).connect(t, config)
			if _, valid, err := c.Login(t.Context(), connector.Scopes{}, alice, password); err != nil || !valid {
				t.Errorf("login: %t, %v", valid, err)
			}
			if _, err := c.Refresh(t.Context(), connector.Scopes{}, aliceForDex); err != nil {
				t.Errorf("refresh: %v", err)
			}
			if confirmed, err := c.ConfirmCode(t.Context(), aliceForDex); err != nil || !confirmed {
				t.Errorf("code: %t, %v", confirmed, err)
			}
			for _, origin := range origins {
				if origin.GetRemoteIp() != test.wantIP || origin.GetRequestId() != test.wantID {
					t.Errorf("got %v", origin)
				}
			}
			if len(origins) != 3 {
				t.Errorf("%d calls", len(origins))
			}
		})
	}
}
