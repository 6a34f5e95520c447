package grpcpassword

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	connectorv1 "localaccounts/dex/gen/localaccounts/connector/v1"
)

func TestRefreshReadsTheClaimsAfresh(t *testing.T) {
	var got *connectorv1.RefreshRequest
	renamed := proto.Clone(aliceOnTheWire).(*connectorv1.Identity)
	renamed.Username, renamed.ConnectorData = "Alice Renamed", []byte("newer")
	config := validConfig()
	config.RemoteIP = func(context.Context) string { return "192.0.2.7" }
	config.RequestID = func(context.Context) string { return "request-2" }
	c := (&service{refresh: func(_ context.Context, request *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
		got = request
		return &connectorv1.RefreshResponse{Identity: renamed}, nil
	}}).connect(t, config)

	identity, err := c.Refresh(t.Context(), connector.Scopes{Groups: true, OfflineAccess: true}, aliceForDex)
	if err != nil {
		t.Fatal(err)
	}
	wantIdentity := aliceForDex
	wantIdentity.Username, wantIdentity.ConnectorData = "Alice Renamed", []byte("newer")
	if !reflect.DeepEqual(identity, wantIdentity) {
		t.Errorf("got %+v", identity)
	}
	want := &connectorv1.RefreshRequest{
		UserId:        aliceForDex.UserID,
		ConnectorData: aliceForDex.ConnectorData,
		Scopes:        &connectorv1.Scopes{Groups: true, OfflineAccess: true},
		Origin:        &connectorv1.Origin{ConnectorId: "local-postgres", RemoteIp: "192.0.2.7", RequestId: "request-2"},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestRefreshRefusesAnotherUser(t *testing.T) {
	for name, answered := range map[string]*connectorv1.Identity{
		"another": {UserId: "00000000-0000-4000-8000-000000000000"},
		"none":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			c := (&service{refresh: func(context.Context, *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
				return &connectorv1.RefreshResponse{Identity: answered}, nil
			}}).connect(t, validConfig())
			if _, err := c.Refresh(t.Context(), connector.Scopes{}, aliceForDex); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestRefusedRefreshIsAnErrorThatRepeatsNothing(t *testing.T) {
	for _, code := range []codes.Code{codes.PermissionDenied, codes.Unavailable} {
		t.Run(code.String(), func(t *testing.T) {
			c := (&service{refresh: func(context.Context, *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
				return nil, status.Errorf(code, "alice@example.com is disabled")
			}}).connect(t, validConfig())
			_, err := c.Refresh(t.Context(), connector.Scopes{}, aliceForDex)
			if status.Code(err) != code || strings.Contains(err.Error(), "alice") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRefreshEndsWithItsDeadline(t *testing.T) {
	config := validConfig()
	config.RefreshTimeout = 50 * time.Millisecond
	c := (&service{refresh: func(ctx context.Context, _ *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}}).connect(t, config)
	if _, err := c.Refresh(t.Context(), connector.Scopes{}, aliceForDex); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestACodeIsConfirmedByItsOwnLogin(t *testing.T) {
	var got *connectorv1.RefreshRequest
	c := (&service{refresh: func(_ context.Context, request *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
		got = request
		return &connectorv1.RefreshResponse{Identity: aliceOnTheWire}, nil
	}}).connect(t, validConfig())
	if confirmed, err := c.ConfirmCode(t.Context(), aliceForDex); err != nil || !confirmed {
		t.Errorf("got %t, %v", confirmed, err)
	}
	want := &connectorv1.RefreshRequest{
		UserId: aliceForDex.UserID, ConnectorData: aliceForDex.ConnectorData, OfCode: true,
		Origin: &connectorv1.Origin{ConnectorId: "local-postgres"},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestACodeIsRefusedByARefusalAlone(t *testing.T) {
	for code, isError := range map[codes.Code]bool{
		codes.PermissionDenied: false, codes.FailedPrecondition: true, codes.Unavailable: true, codes.InvalidArgument: true,
	} {
		t.Run(code.String(), func(t *testing.T) {
			c := (&service{refresh: func(context.Context, *connectorv1.RefreshRequest) (*connectorv1.RefreshResponse, error) {
				return nil, status.Error(code, "no")
			}}).connect(t, validConfig())
			if confirmed, err := c.ConfirmCode(t.Context(), aliceForDex); confirmed || (err != nil) != isError {
				t.Errorf("got %t, %v", confirmed, err)
			}
		})
	}
}
