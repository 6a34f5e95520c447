package main

// ofSessions are the edits on refresh tokens.
var ofSessions = []edit{
	{
		// RFC 6749, section 5.2; dexidp/dex#1796.
		promise:     "a dead refresh token is an invalid grant",
		file:        refreshes,
		anchor:      `newBadRequestError("Refresh token is invalid or has already been claimed by another client.")`,
		replacement: `&refreshError{msg: errInvalidGrant, desc: "Refresh token is invalid or has already been claimed by another client.", code: http.StatusBadRequest}`,
	},
	{
		promise:     "an expired refresh token is an invalid grant",
		file:        refreshes,
		anchor:      `newBadRequestError("Refresh token expired.")`,
		replacement: `&refreshError{msg: errInvalidGrant, desc: "Refresh token expired.", code: http.StatusBadRequest}`,
	},
	{
		promise:     "a scope that was not granted is an invalid scope",
		file:        refreshes,
		anchor:      `newBadRequestError(desc)`,
		replacement: `&refreshError{msg: errInvalidScope, desc: desc, code: http.StatusBadRequest}`,
	},
	{
		promise:     "an outage is the server's error",
		file:        refreshes,
		anchor:      `msg: errInvalidRequest, desc: "", code: http.StatusInternalServerError`,
		replacement: `msg: errServerError, desc: "", code: http.StatusInternalServerError`,
	},
	{
		promise: "refreshes of one session go one after another, each by the time when it came in",
		file:    refreshes,
		anchor: `	rCtx, rerr := s.getRefreshTokenFromStorage(r.Context(), &client.ID, token)
`,
		replacement: `	r = r.WithContext(context.WithValue(r.Context(), arrivalKey{}, s.now()))
	leave, err := refreshTurns.take(r.Context(), token.RefreshId)
	if err != nil {
		return // the caller is gone
	}
	defer leave()

	rCtx, rerr := s.getRefreshTokenFromStorage(r.Context(), &client.ID, token)
`,
	},
	{
		promise:     "a request that waited is no reuse after the time",
		file:        refreshes,
		anchor:      `!s.refreshTokenPolicy.AllowedToReuse(refresh.LastUsed)`,
		replacement: `!s.allowedToReuse(ctx, refresh.LastUsed)`,
	},
	{
		promise:     "a request that waited is no reuse after the time, when it is written either",
		file:        refreshes,
		anchor:      `s.refreshTokenPolicy.AllowedToReuse(old.LastUsed)`,
		replacement: `s.allowedToReuse(ctx, old.LastUsed)`,
	},
	{
		// RFC 9700, section 4.14.2.
		promise: "a rotated refresh token that comes back ends its session",
		file:    refreshes,
		anchor: `			s.logger.ErrorContext(ctx, "refresh token claimed twice", "token_id", refresh.ID)
`,
		replacement: `			s.logger.ErrorContext(ctx, "refresh token claimed twice", "token_id", refresh.ID)
			if err := s.endSession(ctx, refresh); err != nil {
				s.logger.ErrorContext(ctx, "failed to end a session", "err", err)
				return nil, newInternalServerError()
			}
`,
	},
	{
		promise: "a refresh token that is no longer its session's is an invalid grant",
		file:    refreshes,
		anchor: `	switch {
	case err != nil:
		if err != storage.ErrNotFound {
			s.logger.ErrorContext(ctx, "failed to get offline session", "err", err)
`,
		replacement: `	if ref := session.Refresh[refresh.ClientID]; err == storage.ErrNotFound || err == nil && (ref == nil || ref.ID != refresh.ID) {
		return nil, invalidErr
	}
	switch {
	case err != nil:
		if err != storage.ErrNotFound {
			s.logger.ErrorContext(ctx, "failed to get offline session", "err", err)
`,
	},
	{
		promise: "who is refused by the connector has an invalid grant, and not an outage",
		file:    refreshes,
		anchor: `			s.logger.ErrorContext(ctx, "failed to refresh identity", "err", err)
`,
		replacement: `			s.logger.ErrorContext(ctx, "failed to refresh identity", "err", err)
			if refused(err) {
				return ident, invalidErr
			}
`,
	},
	{
		// Dex asks within the transaction, and only if the token is to rotate (dexidp/dex#2113). Before it, the
		// transaction is short, can be repeated, and holds no connection while somebody else takes their time.
		promise: "the connector is asked at each refresh, once and before the transaction",
		file:    refreshes,
		anchor: `	refreshTokenUpdater := func(old storage.RefreshToken) (storage.RefreshToken, error) {
`,
		replacement: `	ident, rerr = s.refreshWithConnector(ctx, rCtx, ident)
	if rerr != nil {
		return nil, ident, rerr
	}

	refreshTokenUpdater := func(old storage.RefreshToken) (storage.RefreshToken, error) {
		newToken.Token = rCtx.requestToken.Token // it may run again
`,
	},
	{
		promise: "the connector is not asked in the transaction",
		file:    refreshes,
		anchor: `		// Call  only once if there is a request which is not in the reuse interval.
		// This is required to avoid multiple calls to the external IdP for concurrent requests.
		// Dex will call the connector's Refresh method only once if request is not in reuse interval.
		ident, rerr = s.refreshWithConnector(ctx, rCtx, ident)
		if rerr != nil {
			return old, rerr
		}

`,
	},
	{
		promise: "a token that rotated meanwhile is an invalid grant",
		file:    refreshes,
		anchor: `			if old.Token != rCtx.requestToken.Token && old.ObsoleteToken != rCtx.requestToken.Token {
				return old, errors.New("refresh token claimed twice")
`,
		replacement: `			if old.Token != rCtx.requestToken.Token && old.ObsoleteToken != rCtx.requestToken.Token {
				return old, invalidErr
`,
	},
	{
		promise: "a token that rotated meanwhile, and long ago, is an invalid grant",
		file:    refreshes,
		anchor: `			if old.Token != rCtx.requestToken.Token {
				return old, errors.New("refresh token claimed twice")
`,
		replacement: `			if old.Token != rCtx.requestToken.Token {
				return old, invalidErr
`,
	},
	{
		promise: "a token that ended meanwhile is an invalid grant",
		file:    refreshes,
		anchor: `		s.logger.ErrorContext(ctx, "failed to update refresh token", "err", err)
`,
		replacement: `		s.logger.ErrorContext(ctx, "failed to update refresh token", "err", err)
		if err == storage.ErrNotFound || errors.Is(err, invalidErr) {
			return nil, ident, invalidErr
		}
`,
	},
	{
		promise: "a session that ended meanwhile is no accident",
		file:    refreshes,
		anchor: `		if old.Refresh[refresh.ClientID].ID != refresh.ID {
			return old, errors.New("refresh token invalid")
`,
		replacement: `		if ref := old.Refresh[refresh.ClientID]; ref == nil || ref.ID != refresh.ID {
			return old, invalidErr
`,
	},
	{
		promise: "a session that ended meanwhile is an invalid grant",
		file:    refreshes,
		anchor: `		s.logger.ErrorContext(ctx, "failed to update offline session", "err", err)
`,
		replacement: `		s.logger.ErrorContext(ctx, "failed to update offline session", "err", err)
		if err == storage.ErrNotFound || errors.Is(err, invalidErr) {
			return invalidErr
		}
`,
	},
}
