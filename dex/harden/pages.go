package main

// ofPages are the edits on what browsers are shown.
var ofPages = []edit{
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
