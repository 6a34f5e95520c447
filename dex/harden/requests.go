package main

// ofRequests are the edits on what is served, and on what is asked for before anybody signs in.
var ofRequests = []edit{
	{
		promise: "an authorization request is completed once",
		file:    handlers,
		anchor: `		a.LoggedIn = true
`,
		// Inside the storage's transaction: of two logins at the same moment one wins, and its claims stay.
		replacement: `		if a.LoggedIn {
			return a, errors.New("this authorization request was completed before")
		}
		a.LoggedIn = true
`,
	},
	{
		promise: "device endpoints are not served",
		file:    routes,
		anchor: `	handleFunc("/device", s.handleDeviceExchange)
	handleFunc("/device/auth/verify_code", s.verifyUserCode)
	handleFunc("/device/code", s.handleDeviceCode)
	// TODO(nabokihms): "/device/token" endpoint is deprecated, consider using /token endpoint instead
	handleFunc("/device/token", s.handleDeviceTokenDeprecated)
	handleFunc(deviceCallbackURI, s.handleDeviceCallback)
`,
	},
	{
		promise:     "device endpoints are not announced",
		file:        handlers,
		anchor:      `json:"device_authorization_endpoint"`,
		replacement: `json:"-"`,
	},
	{
		promise:     "what was typed as the name is not logged",
		file:        handlers,
		anchor:      `"failed login attempt: Invalid credentials.", "user", username)`,
		replacement: `"failed login attempt: Invalid credentials.", "connector_id", authReq.ConnectorID)`,
	},
	{
		promise: "who signed in is not logged",
		file:    handlers,
		anchor: `	email := claims.Email
	if !claims.EmailVerified {
		email += " (unverified)"
	}

	s.logger.InfoContext(ctx, "login successful",
		"connector_id", authReq.ConnectorID, "username", claims.Username,
		"preferred_username", claims.PreferredUsername, "email", email, "groups", claims.Groups)
`,
		replacement: `	s.logger.InfoContext(ctx, "login successful", "connector_id", authReq.ConnectorID)
`,
	},
	{
		promise: "the first two logins of a person at the same moment are both let in",
		file:    handlers,
		anchor: `			if err := s.storage.CreateOfflineSessions(ctx, offlineSessions); err != nil {
				s.logger.ErrorContext(ctx, "failed to create offline session", "err", err)
				return "", false, err
			}
		case err == nil:
			// Update existing OfflineSession obj with new RefreshTokenRef.
			if err := s.storage.UpdateOfflineSessions(ctx, session.UserID, session.ConnID, func(`,
		replacement: `			err := s.storage.CreateOfflineSessions(ctx, offlineSessions)
			if err == nil {
				break
			}
			if err != storage.ErrAlreadyExists {
				s.logger.ErrorContext(ctx, "failed to create offline session", "err", err)
				return "", false, err
			}
			session.UserID, session.ConnID = identity.UserID, authReq.ConnectorID
			fallthrough
		case err == nil:
			// Update existing OfflineSession obj with new RefreshTokenRef.
			if err := s.storage.UpdateOfflineSessions(ctx, session.UserID, session.ConnID, func(`,
	},
}
