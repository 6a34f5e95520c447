// The Go files here are compiled as part of Dex's own packages (see ../overlay.json).
// This file keeps them out of `./...` of the module around it, where they mean nothing.
module localaccounts/dex/overlay

go 1.25.0
