package main

// ofCertificates are the edits on how Dex takes up new certificates of its own servers.
var ofCertificates = []edit{
	{
		// In a volume of Kubernetes the names of the files are links that stay: what is made anew is the link `..data`
		// beside them. Whatever is made in the folder is a reason to read them.
		promise:     "certificates that Kubernetes has replaced are taken up",
		file:        serve,
		anchor:      `if _, ok := watchFiles[evt.Name]; !ok || !evt.Has(fsnotify.Create) {`,
		replacement: `if !evt.Has(fsnotify.Create) {`,
	},
	{
		promise: "files that do not fit together leave the certificate in use",
		file:    serve,
		anchor:  `logger.Error("reload TLS config", "err", err)`,
		replacement: `logger.Error("reload TLS config", "err", err)
				continue loop`,
	},
}
