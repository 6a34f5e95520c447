package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// lookEvery is the pause between two attempts at a server.
	lookEvery = time.Second
	// sayEvery is how often a wait says that it goes on; a new reason is said at once.
	sayEvery = 30 * time.Second
	// dialTimeout ends an attempt that nobody answers, such as one that a network policy drops.
	dialTimeout = 3 * time.Second
)

// server is what is waited for: any of its addresses will do.
type server struct {
	name      string
	variable  string
	addresses []string
}

func waitCommand(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("wait for what? postgres or kafka: %w", errUsage)
	}
	flags := flag.NewFlagSet("wait", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	limit := flags.Duration("for", 5*time.Minute, "how long at most")
	if err := flags.Parse(args[1:]); err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	server, err := serverOf(args[0], os.Getenv)
	if err != nil {
		return err
	}
	return server.wait(ctx, *limit)
}

// serverOf reads the address from the variable that the services read. Errors never show what it holds.
func serverOf(name string, env func(string) string) (server, error) {
	switch name {
	case "postgres":
		const variable = "POSTGRES_DSN"
		address, err := dsnAddress(env(variable))
		if err != nil {
			return server{}, fmt.Errorf("%s: %w: %w", variable, err, errUsage)
		}
		return server{name, variable, []string{address}}, nil
	case "kafka":
		const variable = "KAFKA_BROKERS"
		var addresses []string
		for item := range strings.SplitSeq(env(variable), ",") {
			address := strings.TrimSpace(item)
			if _, _, err := net.SplitHostPort(address); err != nil {
				return server{}, fmt.Errorf("%s: want host:port, separated by commas: %w", variable, errUsage)
			}
			addresses = append(addresses, address)
		}
		return server{name, variable, addresses}, nil
	default:
		return server{}, fmt.Errorf("wait for %q? postgres or kafka: %w", name, errUsage)
	}
}

func dsnAddress(dsn string) (string, error) {
	if dsn == "" {
		return "", errors.New("is empty: is the key dsn in its Secret?")
	}
	parsed, err := url.Parse(dsn)
	if err != nil || parsed.Hostname() == "" || !strings.HasPrefix(parsed.Scheme, "postgres") {
		return "", errors.New("is no postgres://USER:PASSWORD@HOST:PORT/DATABASE; are special characters in the password percent-encoded?")
	}
	port := parsed.Port()
	if port == "" {
		port = "5432"
	}
	return net.JoinHostPort(parsed.Hostname(), port), nil
}

// wait returns once one of the addresses takes a connection, or with the last reason when the time is over.
func (s server) wait(ctx context.Context, limit time.Duration) error {
	over, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var reason string
	var said time.Time
	for {
		now, err := s.answers(over)
		if err == nil {
			say("%s answers at %s", s.name, now)
			return nil
		}
		if over.Err() == nil && (err.Error() != reason || time.Since(said) >= sayEvery) {
			reason, said = err.Error(), time.Now()
			say("waiting for %s: %s", s.name, reason)
		}
		select {
		case <-over.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("told to stop while waiting for %s: %s", s.name, reason)
			}
			return fmt.Errorf("%s did not answer within %s: %s (%s says where it is)", s.name, limit, reason, s.variable)
		case <-time.After(lookEvery):
		}
	}
}

func (s server) answers(ctx context.Context) (string, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	var faults []error
	for _, address := range s.addresses {
		connection, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return address, connection.Close()
		}
		faults = append(faults, fmt.Errorf("%s: %w", address, cause(err)))
	}
	return "", errors.Join(faults...)
}

// cause is an error of the network without the resolver's and the socket's own addresses, which change each
// time.
func cause(err error) error {
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		if lookup.IsNotFound {
			return errors.New("there is no such host")
		}
		return errors.New("its name cannot be looked up: " + lookup.Err)
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		if operation.Timeout() {
			return errors.New("nobody answers: is it running, and does a NetworkPolicy let us through?")
		}
		return operation.Err
	}
	return err
}
