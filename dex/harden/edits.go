package main

// edit replaces a text of one of Dex's files. The anchor is as long as it takes to be there exactly
// once, and no longer: whatever stands around it may change with Dex's versions.
type edit struct {
	// promise is what the edit is for, as an operator reads it.
	promise             string
	file                string
	anchor, replacement string
}

const (
	handlers = "vendor/github.com/dexidp/dex/server/handlers.go"
	routes   = "vendor/github.com/dexidp/dex/server/server.go"
	header   = "vendor/github.com/dexidp/dex/web/templates/header.html"
	styles   = "vendor/github.com/dexidp/dex/web/static/main.css"
)

var edits = []edit{
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
		promise: "the button of our connector has an icon, and our texts are readable",
		file:    styles,
		anchor: `.dex-btn-icon--ldap {
`,
		replacement: `.dex-btn-icon--grpc {
  background-color: #2B6CB0;
  background-image: url(../static/img/grpc-icon.svg);
}

.local-accounts-text {
  color: inherit;
  font-size: 13px;
  margin: 0 auto 20px;
  max-width: 320px;
}

.dex-btn-icon--ldap {
`,
	},
	{
		promise: "the focus and the edges of fields are seen, and buttons fit a telephone", // WCAG 2.2, 2.4.7 and 1.4.11
		file:    styles,
		anchor: `.dex-btn:focus {
  outline: none;
}
`,
		// Important, because the themes come later and say otherwise. Both colours have a contrast of at least 3 on
		// the light and on the dark one.
		replacement: `:focus-visible {
  outline: 3px solid #2B6CB0 !important;
  outline-offset: 1px;
}

.theme-form-input {
  border-color: #767B80 !important;
}

@media (max-width: 480px) {
  .theme-panel {
    padding: 30px 16px !important;
  }
}
`,
	},
	{
		promise: "screen readers know the language of the pages", // WCAG 2.2, 3.1.1
		file:    header,
		anchor: `<html>
`,
		replacement: `<html lang="en">
`,
	},
	{
		promise:     "screen readers pass over the logo", // WCAG 2.2, 1.1.1
		file:        header,
		anchor:      `src="{{ url .ReqPath logo }}">`,
		replacement: `src="{{ url .ReqPath logo }}" alt="">`,
	},
}
