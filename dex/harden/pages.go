package main

// ofPages are the edits on what browsers are shown.
var ofPages = []edit{
	{
		// What may be stored says so itself, as the keys do. web.headers has no setting for it.
		promise: "nothing that Dex says is kept by a browser or a proxy",
		file:    routes,
		anchor: `			for k, v := range c.Headers {
`,
		replacement: `			w.Header().Set("Cache-Control", "no-store")
			for k, v := range c.Headers {
`,
	},
	{
		promise:     "folders of the pages' files are not shown",
		file:        templates,
		anchor:      `http.FileServer(http.FS(staticFiles))`,
		replacement: `http.FileServer(http.FS(filesOnly{staticFiles}))`,
	},
	{
		promise:     "folders of the theme's files are not shown",
		file:        templates,
		anchor:      `http.FileServer(http.FS(themeFiles))`,
		replacement: `http.FileServer(http.FS(filesOnly{themeFiles}))`,
	},
	{
		promise:     "an error page leads back to the app",
		file:        handlers,
		anchor:      `s.templates.err(r, w, status, description)`,
		replacement: `s.templates.err(r, w, status, description, s.wayBack(r))`,
	},
	{
		promise:     "an error page is told where it leads",
		file:        templates,
		anchor:      `errCode int, errMsg string) error {`,
		replacement: `errCode int, errMsg string, back template.URL) error {`,
	},
	{
		promise: "an error page can show where it leads",
		file:    templates,
		anchor: `		ErrMsg  string
		ReqPath string
	}{http.StatusText(errCode), errMsg, r.URL.Path}
`,
		replacement: `		ErrMsg  string
		ReqPath string
		Back    template.URL
	}{http.StatusText(errCode), errMsg, r.URL.Path, back}
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
