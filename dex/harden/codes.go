package main

// ofCodes are the edits on authorization codes and on what they are exchanged for.
var ofCodes = []edit{
	{
		promise:     "an authorization code lives 60 s",
		file:        handlers,
		anchor:      `s.now().Add(time.Minute * 30)`,
		replacement: `s.now().Add(time.Minute)`,
	},
	{
		// Otherwise it is HTTP 500 "server_error", and apps take an old code for an outage (RFC 6749, section 5.2).
		promise: "a code that is too old is an invalid grant",
		file:    handlers,
		anchor: `		if err != storage.ErrNotFound {
			s.logger.ErrorContext(r.Context(), "failed to get auth code",`,
		replacement: `		if err != nil && err != storage.ErrNotFound {
			s.logger.ErrorContext(r.Context(), "failed to get auth code",`,
	},
	{
		promise:     "a code that is used twice ends what it yielded, and one of another client is burned",
		file:        handlers,
		anchor:      `s.tokenErrHelper(w, errInvalidGrant, "Invalid or expired code parameter.", http.StatusBadRequest)`,
		replacement: `s.refuseCode(ctx, w, code, "Invalid or expired code parameter.")`,
	},
	{
		promise:     "a code with a wrong verifier is burned",
		file:        handlers,
		anchor:      `s.tokenErrHelper(w, errInvalidGrant, "Invalid code_verifier.", http.StatusBadRequest)`,
		replacement: `s.refuseCode(ctx, w, code, "Invalid code_verifier.")`,
	},
	{
		promise:     "a code with a verifier that nobody asked for is burned",
		file:        handlers,
		anchor:      `s.tokenErrHelper(w, errInvalidRequest, "No PKCE flow started. Cannot check code_verifier.", http.StatusBadRequest)`,
		replacement: `s.refuseCode(ctx, w, code, "No PKCE flow started. Cannot check code_verifier.")`,
	},
	{
		promise:     "a code without its verifier is burned",
		file:        handlers,
		anchor:      `s.tokenErrHelper(w, errInvalidGrant, "Expecting parameter code_verifier in PKCE flow.", http.StatusBadRequest)`,
		replacement: `s.refuseCode(ctx, w, code, "Expecting parameter code_verifier in PKCE flow.")`,
	},
	{
		promise:     "a code with another redirect_uri is burned",
		file:        handlers,
		anchor:      `s.tokenErrHelper(w, errInvalidRequest, "redirect_uri did not match URI from initial request.", http.StatusBadRequest)`,
		replacement: `s.refuseCode(ctx, w, code, "redirect_uri did not match URI from initial request.")`,
	},
	{
		promise: "a code of before the end of an account's sessions yields nothing, and an answer is written once",
		file:    handlers,
		anchor: `	tokenResponse, err := s.exchangeAuthCode(ctx, w, authCode, client)
	if err != nil {
		s.tokenErrHelper(w, errServerError, "", http.StatusInternalServerError)
		return
	}
`,
		replacement: `	confirmed, err := s.confirmed(ctx, authCode)
	if err != nil {
		s.logger.ErrorContext(ctx, "failed to confirm an auth code", "err", err)
		s.tokenErrHelper(w, errServerError, "", http.StatusInternalServerError)
		return
	}
	if !confirmed {
		s.refuseCode(ctx, w, code, "The account may not go on.")
		return
	}

	tokenResponse, err := s.exchangeAuthCode(ctx, w, authCode, client)
	if err != nil {
		return // it has answered
	}
`,
	},
	{
		promise: "a code is deleted after what it yields is there",
		file:    handlers,
		anchor: `	if err := s.storage.DeleteAuthCode(ctx, authCode.ID); err != nil {
		s.logger.ErrorContext(ctx, "failed to delete auth code", "err", err)
		s.tokenErrHelper(w, errServerError, "", http.StatusInternalServerError)
		return nil, err
	}

	reqRefresh := func() bool {
`,
		replacement: `	reqRefresh := func() bool {
`,
	},
	{
		promise: "a refresh token is known by its code",
		file:    handlers,
		anchor: `			ID:            storage.NewID(),
			Token:         storage.NewID(),
			ClientID:      authCode.ClientID,
`,
		replacement: `			ID:            refreshIDOf(authCode.ID),
			Token:         storage.NewID(),
			ClientID:      authCode.ClientID,
`,
	},
	{
		promise: "of two exchanges at the same moment the second ends the first",
		file:    handlers,
		anchor: `			s.logger.ErrorContext(ctx, "failed to create refresh token", "err", err)
`,
		replacement: `			if err == storage.ErrAlreadyExists {
				s.refuseCode(ctx, w, authCode.ID, "Invalid or expired code parameter.")
				return nil, err
			}
			s.logger.ErrorContext(ctx, "failed to create refresh token", "err", err)
`,
	},
	{
		promise: "an exchange that another use of the code overtook yields nothing",
		file:    handlers,
		anchor: `	return s.toAccessTokenResponse(idToken, accessToken, refreshToken, expiry), nil
`,
		// Whoever finds no code finds the refresh token, because that was there before: no use of a code is overlooked.
		replacement: `	if err := s.storage.DeleteAuthCode(ctx, authCode.ID); err == storage.ErrNotFound {
		s.refuseCode(ctx, w, authCode.ID, "Invalid or expired code parameter.")
		return nil, err
	} else if err != nil {
		s.logger.ErrorContext(ctx, "failed to delete auth code", "err", err)
		s.tokenErrHelper(w, errServerError, "", http.StatusInternalServerError)
		return nil, err
	}
	return s.toAccessTokenResponse(idToken, accessToken, refreshToken, expiry), nil
`,
	},
}
