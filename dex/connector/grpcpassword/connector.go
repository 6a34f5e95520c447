package grpcpassword

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

// A proxy in front of Dex passes bodies up to 16 KiB: whatever is longer was not typed by a person.
const maxTyped = 16 << 10

// The longest id of a request that the service takes, in bytes.
const maxRequestID = 128

var (
	_ connector.PasswordConnector = (*passwordConnector)(nil)
	_ connector.RefreshConnector  = (*passwordConnector)(nil)
)

type passwordConnector struct {
	id     string
	config Config
	// conn is never closed: Dex keeps a connector for the life of the process and has no way to end it.
	conn   *grpc.ClientConn
	client connectorv1.PasswordConnectorClient
}

func newPasswordConnector(id string, config Config, options []grpc.DialOption) (*passwordConnector, error) {
	name, port, err := config.address()
	if err != nil {
		return nil, err
	}
	// NewClient resolves and connects with the first call.
	conn, err := grpc.NewClient("dns:///"+net.JoinHostPort(name, port), options...)
	if err != nil {
		return nil, fmt.Errorf("grpc connector: host: %w", err)
	}
	return &passwordConnector{
		id:     id,
		config: config,
		conn:   conn,
		client: connectorv1.NewPasswordConnectorClient(conn),
	}, nil
}

// Prompt labels the name field. Dex asks with each page, so it is answered from memory.
func (p *passwordConnector) Prompt() string { return p.config.Prompt }

// Login has a name and a password verified, in one call that is never repeated. A refusal is false;
// an error means that nobody could tell.
func (p *passwordConnector) Login(ctx context.Context, scopes connector.Scopes, username, password string) (connector.Identity, bool, error) {
	if !typed(username) || !typed(password) {
		return connector.Identity{}, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.LoginTimeout)
	defer cancel()
	call := newCall(p.id, "Login")
	response, err := p.client.Login(ctx, &connectorv1.LoginRequest{
		Username: username,
		Password: password,
		Scopes:   scopesToProto(scopes),
		Origin:   p.origin(ctx),
	}, call.options()...)
	if err != nil {
		return connector.Identity{}, false, call.failed(err)
	}
	if !response.GetValidPassword() {
		return connector.Identity{}, false, nil
	}
	if response.GetIdentity().GetUserId() == "" {
		return connector.Identity{}, false, call.broken("a valid password without a user id")
	}
	return identityFromProto(response.GetIdentity()), true, nil
}

// Refresh reads the claims of someone who logged in before. An error with the code PermissionDenied
// is a refusal; with any other nobody could tell.
func (p *passwordConnector) Refresh(ctx context.Context, scopes connector.Scopes, identity connector.Identity) (connector.Identity, error) {
	return p.refresh(ctx, &connectorv1.RefreshRequest{Scopes: scopesToProto(scopes)}, identity)
}

// ConfirmCode tells whether the account may have what the code of its login is worth: between the
// two it can have been disabled, or its sessions ended. An error means that nobody could tell.
func (p *passwordConnector) ConfirmCode(ctx context.Context, identity connector.Identity) (bool, error) {
	_, err := p.refresh(ctx, &connectorv1.RefreshRequest{OfCode: true}, identity)
	if status.Code(err) == codes.PermissionDenied {
		return false, nil
	}
	return err == nil, err
}

func (p *passwordConnector) refresh(ctx context.Context, request *connectorv1.RefreshRequest, identity connector.Identity) (connector.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, p.config.RefreshTimeout)
	defer cancel()
	call := newCall(p.id, "Refresh")
	request.UserId, request.ConnectorData, request.Origin = identity.UserID, identity.ConnectorData, p.origin(ctx)
	response, err := p.client.Refresh(ctx, request, call.options()...)
	if err != nil {
		return connector.Identity{}, call.failed(err)
	}
	// Dex would go on with whoever it is told: a mix-up must not hand one person's tokens to another.
	if response.GetIdentity().GetUserId() != identity.UserID {
		return connector.Identity{}, call.broken("another user id than was asked for")
	}
	return identityFromProto(response.GetIdentity()), nil
}

// origin is where a call comes from, as far as it can be told: none of it may fail the call.
func (p *passwordConnector) origin(ctx context.Context) *connectorv1.Origin {
	origin := &connectorv1.Origin{ConnectorId: p.id}
	// A zone (fe80::1%eth0) is a name of the proxy's own for one of its links.
	if address, err := netip.ParseAddr(find(ctx, p.config.RemoteIP)); err == nil {
		origin.RemoteIp = address.WithZone("").String()
	}
	if id := find(ctx, p.config.RequestID); isRequestID(id) {
		origin.RequestId = id
	}
	return origin
}

// isRequestID tells whether the service takes a text as a request's id. Dex makes UUIDs.
func isRequestID(id string) bool {
	return len(id) <= maxRequestID && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
}

func find(ctx context.Context, in func(context.Context) string) string {
	if in == nil {
		return ""
	}
	return in(ctx)
}

// typed tells whether a form field can be what a person typed. The others match no account, and
// gRPC could not carry them: the answer would be an error page instead of a refusal.
func typed(text string) bool {
	return len(text) <= maxTyped && utf8.ValidString(text)
}

func scopesToProto(scopes connector.Scopes) *connectorv1.Scopes {
	return &connectorv1.Scopes{OfflineAccess: scopes.OfflineAccess, Groups: scopes.Groups}
}

func identityFromProto(identity *connectorv1.Identity) connector.Identity {
	return connector.Identity{
		UserID:            identity.GetUserId(),
		Username:          identity.GetUsername(),
		PreferredUsername: identity.GetPreferredUsername(),
		Email:             identity.GetEmail(),
		EmailVerified:     identity.GetEmailVerified(),
		Groups:            identity.GetGroups(),
		ConnectorData:     identity.GetConnectorData(),
	}
}
