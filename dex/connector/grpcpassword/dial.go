package grpcpassword

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// credentials are those of the certificate files, or none.
func (c *Config) credentials(logger *slog.Logger) (credentials.TransportCredentials, error) {
	if c.Insecure {
		return insecure.NewCredentials(), nil
	}
	return loadCertificates(c, logger)
}

func dialOptions(security credentials.TransportCredentials) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(security),
		// Passwords go to the configured host, whatever HTTPS_PROXY says.
		grpc.WithNoProxy(),
		// Nobody who can write a DNS TXT record is to switch retries on.
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		// Each call goes to the next replica that is connected. Those of a name are asked for when the
		// first call is made, and again when a connection ends.
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig": [{"round_robin": {}}]}`),
		// A call is written once or not at all: nothing is kept to be written again, so once a request
		// is on the wire not even grpc-go's transparent retry repeats it. What could not be written
		// moves to another connection.
		grpc.WithDefaultCallOptions(grpc.MaxRetryRPCBufferSize(0)),
		// A service that vanished without a word is noticed within 25 s also when nobody logs in.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time:                20 * time.Second,
			Timeout:             5 * time.Second,
			PermitWithoutStream: true,
		}),
		// Calls fail at once while the service is down. It is tried again at least every 2 s, not
		// grpc-go's 120 s: that is how long logins fail after it has come back.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
	}
}
