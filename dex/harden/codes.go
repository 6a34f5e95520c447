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
}
