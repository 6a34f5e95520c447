module localaccounts/chart-tools

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	golang.org/x/crypto v0.59.0
)
