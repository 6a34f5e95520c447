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
		// It asks for no client, which RFC 7662, section 2.1, requires (dexidp/dex#3404 brought it).
		promise: "introspection is not served",
		file:    routes,
		anchor: `	handleWithCORS("/token/introspect", s.handleIntrospect)
`,
	},
	{
		promise:     "introspection is not announced",
		file:        handlers,
		anchor:      `json:"introspection_endpoint"`,
		replacement: `json:"-"`,
	},
	{
		// RFC 9700, section 2.1.1; dexidp/dex#1114.
		promise: "a public client has to bring PKCE by S256",
		file:    oauth2,
		anchor: `	var (
		unrecognized  []string
		invalidScopes []string
	)
`,
		replacement: `	if client.Public && (codeChallenge == "" || codeChallengeMethod != codeChallengeMethodS256) {
		return nil, newRedirectedErr(errInvalidRequest, "A public client needs PKCE: code_challenge with code_challenge_method S256.")
	}

	var (
		unrecognized  []string
		invalidScopes []string
	)
`,
	},
	{
		promise:     "PKCE without a hash is not announced",
		file:        handlers,
		anchor:      `[]string{codeChallengeMethodS256, codeChallengeMethodPlain}`,
		replacement: `[]string{codeChallengeMethodS256}`,
	},
	{
		// OIDC Core 1.0, section 3.1.2.6; dexidp/dex#4325. Dex knows nobody who is signed in already.
		promise: "who must not see a form gets none",
		file:    oauth2,
		anchor: `	return &storage.AuthRequest{
		ID:                  storage.NewID(),
`,
		replacement: `	if contains(strings.Fields(strings.Join(q["prompt"], " ")), "none") {
		return nil, newRedirectedErr("login_required", "Nobody is signed in without the form.")
	}

	return &storage.AuthRequest{
		ID:                  storage.NewID(),
`,
	},
	{
		promise: "who must not see a form does not see the choice either",
		file:    handlers,
		anchor: `	connectorID := r.Form.Get("connector_id")
	connectors, err := s.storage.ListConnectors(ctx)
`,
		// It refuses each such request, for this reason or for one that comes first.
		replacement: `	if contains(strings.Fields(strings.Join(r.Form["prompt"], " ")), "none") {
		s.handleConnectorLogin(w, r)
		return
	}

	connectorID := r.Form.Get("connector_id")
	connectors, err := s.storage.ListConnectors(ctx)
`,
	},
	{
		// dexidp/dex#3540: whether there is one is the operator's to say (oauth2.skipApprovalScreen).
		promise: "no app brings up the approval page",
		file:    oauth2,
		anchor: `		ForceApprovalPrompt: q.Get("approval_prompt") == "force",
`,
	},
	{
		promise: "a request that no storage can keep is malformed, and no outage",
		file:    oauth2,
		anchor: `	q := r.Form
	redirectURI, err`,
		replacement: `	q := r.Form
	if !areTexts(q) {
		return nil, newDisplayedErr(http.StatusBadRequest, "Failed to parse request.")
	}
	redirectURI, err`,
	},
	{
		promise: "the approval of an unknown request is the person's mistake, and no outage",
		file:    handlers,
		anchor: `	authReq, err := s.storage.GetAuthRequest(ctx, r.FormValue("req"))
`,
		replacement: `	authReq, err := s.storage.GetAuthRequest(ctx, r.FormValue("req"))
	if err == storage.ErrNotFound {
		s.renderError(r, w, http.StatusBadRequest, "User session error.")
		return
	}
`,
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
