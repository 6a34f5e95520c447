package server

import (
	"context"

	"localaccounts/dex/connector/grpcpassword"
)

// Registers the connector type "grpc". All that ties our connector to this version of Dex is here:
// the map of connector types, and the context keys under which Dex keeps a request's origin.
func init() {
	ConnectorsConfig["grpc"] = func() ConnectorConfig {
		return &grpcpassword.Config{
			RemoteIP:  func(ctx context.Context) string { return contextText(ctx, RequestKeyRemoteIP) },
			RequestID: func(ctx context.Context) string { return contextText(ctx, RequestKeyRequestID) },
		}
	}
}

func contextText(ctx context.Context, key logRequestKey) string {
	text, _ := ctx.Value(key).(string)
	return text
}
