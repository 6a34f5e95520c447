package main

import "slices"

// edit replaces a text of one of Dex's files. The anchor is as long as it takes to be there exactly
// once, and no longer: whatever stands around it may change with Dex's versions. What takes more than
// a few lines is a function in ../overlay, and the edit calls it.
type edit struct {
	// promise is what the edit is for, as an operator reads it.
	promise             string
	file                string
	anchor, replacement string
}

const (
	handlers  = "vendor/github.com/dexidp/dex/server/handlers.go"
	oauth2    = "vendor/github.com/dexidp/dex/server/oauth2.go"
	refreshes = "vendor/github.com/dexidp/dex/server/refreshhandlers.go"
	routes    = "vendor/github.com/dexidp/dex/server/server.go"
	templates = "vendor/github.com/dexidp/dex/server/templates.go"
	serve     = "vendor/github.com/dexidp/dex/cmd/dex/serve.go"
	database  = "vendor/github.com/dexidp/dex/storage/sql/sql.go"
	rows      = "vendor/github.com/dexidp/dex/storage/sql/crud.go"
	header    = "vendor/github.com/dexidp/dex/web/templates/header.html"
	styles    = "vendor/github.com/dexidp/dex/web/static/main.css"
)

var edits = slices.Concat(ofRequests, ofCodes, ofSessions, ofStorage, ofCertificates, ofPages)
