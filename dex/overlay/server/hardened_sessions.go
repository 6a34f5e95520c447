package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/dexidp/dex/connector"
	"github.com/dexidp/dex/storage"
)

// endSession ends what a refresh token stands for, for whoever holds one of it.
func (s *Server) endSession(ctx context.Context, refresh storage.RefreshToken) error {
	forget := func(old storage.OfflineSessions) (storage.OfflineSessions, error) {
		if ref := old.Refresh[refresh.ClientID]; ref != nil && ref.ID == refresh.ID {
			delete(old.Refresh, refresh.ClientID)
		}
		return old, nil
	}
	err := s.storage.UpdateOfflineSessions(ctx, refresh.Claims.UserID, refresh.ConnectorID, forget)
	if err == nil || err == storage.ErrNotFound {
		err = s.storage.DeleteRefresh(ctx, refresh.ID)
	}
	if err == storage.ErrNotFound {
		return nil
	}
	return err
}

// refreshIDOf is the id of the refresh token that a code yields. So whoever brings the code again leads to it.
func refreshIDOf(code string) string {
	sum := sha256.Sum256([]byte("refresh token of the code " + code))
	return "r" + hex.EncodeToString(sum[:16])
}

// refuseCode answers that a code is worth nothing, and sees to it that it is: a failed exchange burns it, and a second
// use ends what the first one yielded (RFC 6749, section 4.1.2).
func (s *Server) refuseCode(ctx context.Context, w http.ResponseWriter, code, description string) {
	err := s.storage.DeleteAuthCode(ctx, code)
	if err == nil || err == storage.ErrNotFound {
		var yielded storage.RefreshToken
		if yielded, err = s.storage.GetRefresh(ctx, refreshIDOf(code)); err == nil {
			err = s.endSession(ctx, yielded)
		}
	}
	if err != nil && err != storage.ErrNotFound {
		s.logger.ErrorContext(ctx, "failed to burn an auth code", "err", err)
		s.tokenErrHelper(w, errServerError, "", http.StatusInternalServerError)
		return
	}
	s.tokenErrHelper(w, errInvalidGrant, description, http.StatusBadRequest)
}

// codeConnector is asked once more when the code of a login is exchanged.
type codeConnector interface {
	// ConfirmCode tells whether the account may still have what that login was to yield.
	ConfirmCode(ctx context.Context, identity connector.Identity) (bool, error)
}

// confirmed asks the connector of a code, if it is one that can be asked.
func (s *Server) confirmed(ctx context.Context, code storage.AuthCode) (bool, error) {
	conn, err := s.getConnector(ctx, code.ConnectorID)
	if err != nil {
		return false, err
	}
	asked, ok := conn.Connector.(codeConnector)
	if !ok {
		return true, nil
	}
	return asked.ConfirmCode(ctx, connector.Identity{UserID: code.Claims.UserID, ConnectorData: code.ConnectorData})
}

// refused tells whether a connector said no, and not merely nothing (dexidp/dex#3971).
func refused(err error) bool { return status.Code(err) == codes.PermissionDenied }

type arrivalKey struct{}

// allowedToReuse is the policy's word, for the moment when the request came in: while it waits for those before it,
// its time does not run out.
func (s *Server) allowedToReuse(ctx context.Context, lastUsed time.Time) bool {
	policy := *s.refreshTokenPolicy
	if arrival, ok := ctx.Value(arrivalKey{}).(time.Time); ok {
		policy.now = func() time.Time { return arrival }
	}
	return policy.AllowedToReuse(lastUsed)
}

// refreshTurns are those of the refreshes of one session. One after another they ask the connector, each with what it
// said to the one before: there are identity providers that take back a token that comes twice. And nobody who sends
// many at once takes more than one of the connections to the storage.
var refreshTurns = turns{of: map[string]*turn{}}

type turns struct {
	mutex sync.Mutex
	of    map[string]*turn
}

type turn struct {
	taken  chan struct{}
	wanted int
}

// take waits until nobody else has the key's turn, or the caller is gone.
func (t *turns) take(ctx context.Context, key string) (leave func(), err error) {
	t.mutex.Lock()
	own := t.of[key]
	if own == nil {
		own = &turn{taken: make(chan struct{}, 1)}
		t.of[key] = own
	}
	own.wanted++
	t.mutex.Unlock()
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; t.unwant(key, own) }, nil
	case <-ctx.Done():
		t.unwant(key, own)
		return nil, ctx.Err()
	}
}

func (t *turns) unwant(key string, own *turn) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if own.wanted--; own.wanted == 0 {
		delete(t.of, key)
	}
}
