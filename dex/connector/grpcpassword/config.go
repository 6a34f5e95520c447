// Package grpcpassword is a Dex connector that has user names and passwords verified by another
// service over gRPC (localaccounts.connector.v1).
//
// It knows nothing of Dex but the package connector. What differs between Dex versions lives in the
// registration file under overlay/.
package grpcpassword

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc"
)

const (
	defaultPrompt = "Username or e-mail"

	// A bcrypt check of cost 12 takes about 0.3 s, so 8 s outlast a full queue in front of the hashing
	// pool and still end before browsers and proxies lose patience.
	defaultLoginTimeout = 8 * time.Second
	maxLoginTimeout     = time.Minute

	// Dex calls Refresh for one request of a session at a time: that session's others wait for it.
	defaultRefreshTimeout = 3 * time.Second
	maxRefreshTimeout     = 10 * time.Second
)

// Config is what stands under `config:` of a connector of type grpc in Dex's configuration.
//
// Dex turns it into JSON and back before it opens the connector, so every setting survives that.
// Secrets are named by file, never written inline: Dex's admin API can read connector configurations.
type Config struct {
	// Host is where the service listens: "name:port" or "dns:///name:port".
	Host string
	// Insecure sends passwords unencrypted and unauthenticated. For development only.
	Insecure bool
	// CAFile has the PEM certificates of the authorities that may sign the service's certificate.
	CAFile string
	// CertFile and KeyFile are the PEM client certificate that Dex shows to the service, and its key.
	CertFile, KeyFile string
	// ServerName is the name the service's certificate must have. Default: the name in Host.
	ServerName string
	// LoginTimeout bounds a Login; at most 1m, default 8s.
	LoginTimeout time.Duration
	// RefreshTimeout bounds a Refresh; at most 10s, default 3s.
	RefreshTimeout time.Duration
	// Prompt labels the name field of the login page. Default: "Username or e-mail".
	Prompt string

	// RemoteIP and RequestID find the caller's address and the request's id in the context of a call.
	// They are set by the registration, not by configuration; nil or "" means unknown.
	RemoteIP, RequestID func(context.Context) string
}

// wire is Config as JSON. Durations are text such as "8s".
type wire struct {
	Host           string `json:"host"`
	Insecure       bool   `json:"insecure,omitempty"`
	CAFile         string `json:"caFile,omitempty"`
	CertFile       string `json:"certFile,omitempty"`
	KeyFile        string `json:"keyFile,omitempty"`
	ServerName     string `json:"serverName,omitempty"`
	LoginTimeout   string `json:"loginTimeout,omitempty"`
	RefreshTimeout string `json:"refreshTimeout,omitempty"`
	Prompt         string `json:"prompt,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (c Config) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{
		Host:           c.Host,
		Insecure:       c.Insecure,
		CAFile:         c.CAFile,
		CertFile:       c.CertFile,
		KeyFile:        c.KeyFile,
		ServerName:     c.ServerName,
		LoginTimeout:   c.LoginTimeout.String(),
		RefreshTimeout: c.RefreshTimeout.String(),
		Prompt:         c.Prompt,
	})
}

// UnmarshalJSON implements json.Unmarshaler. It refuses unknown settings, fills in the defaults and
// validates: a mistake here keeps Dex from starting, while an error of Open may leave it running
// without this connector.
func (c *Config) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	w := wire{
		LoginTimeout:   defaultLoginTimeout.String(),
		RefreshTimeout: defaultRefreshTimeout.String(),
		Prompt:         defaultPrompt,
	}
	if err := decoder.Decode(&w); err != nil {
		return fmt.Errorf("grpc connector: %w", err)
	}
	login, err := parseTimeout("loginTimeout", w.LoginTimeout)
	if err != nil {
		return err
	}
	refresh, err := parseTimeout("refreshTimeout", w.RefreshTimeout)
	if err != nil {
		return err
	}
	parsed := Config{
		Host:           w.Host,
		Insecure:       w.Insecure,
		CAFile:         w.CAFile,
		CertFile:       w.CertFile,
		KeyFile:        w.KeyFile,
		ServerName:     w.ServerName,
		LoginTimeout:   login,
		RefreshTimeout: refresh,
		Prompt:         w.Prompt,
		RemoteIP:       c.RemoteIP,
		RequestID:      c.RequestID,
	}
	if err := parsed.validate(); err != nil {
		return err
	}
	*c = parsed
	return nil
}

// Open makes the connector of this id. It validates everything, certificate files included, but
// opens no connection: Dex would otherwise not start, or go without the connector, whenever the
// service is down.
func (c *Config) Open(id string, logger *slog.Logger) (connector.Connector, error) {
	return c.open(id, logger)
}

func (c *Config) open(id string, logger *slog.Logger, options ...grpc.DialOption) (*passwordConnector, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	// The copy is the connector's own: what Dex does with its Config later does not matter.
	own := *c
	security, err := own.credentials(logger.With("connector_id", id))
	if err != nil {
		return nil, err
	}
	if c.Insecure {
		logger.Warn("grpc connector is insecure: passwords are sent unencrypted; for development only",
			"connector_id", id, "host", c.Host)
	}
	return newPasswordConnector(id, own, append(dialOptions(security), options...))
}

// validate reports the first setting that is wrong, by name.
func (c *Config) validate() error {
	if _, _, err := c.address(); err != nil {
		return err
	}
	files := []struct{ name, value string }{
		{"caFile", c.CAFile}, {"certFile", c.CertFile}, {"keyFile", c.KeyFile},
	}
	for _, file := range files {
		if c.Insecure && file.value != "" {
			return fmt.Errorf("grpc connector: %s and insecure exclude each other", file.name)
		}
		if !c.Insecure && file.value == "" {
			return fmt.Errorf("grpc connector: %s is required (or insecure: true, for development)", file.name)
		}
	}
	if c.Insecure && c.ServerName != "" {
		return fmt.Errorf("grpc connector: serverName and insecure exclude each other")
	}
	if c.LoginTimeout <= 0 || c.LoginTimeout > maxLoginTimeout {
		return fmt.Errorf("grpc connector: loginTimeout %s is not above 0 and at most %s", c.LoginTimeout, maxLoginTimeout)
	}
	if c.RefreshTimeout <= 0 || c.RefreshTimeout > maxRefreshTimeout {
		return fmt.Errorf("grpc connector: refreshTimeout %s is not above 0 and at most %s", c.RefreshTimeout, maxRefreshTimeout)
	}
	if strings.TrimSpace(c.Prompt) == "" {
		return fmt.Errorf("grpc connector: prompt is empty")
	}
	return nil
}

// address splits Host into name and port.
func (c *Config) address() (name, port string, err error) {
	if c.Host == "" {
		return "", "", fmt.Errorf("grpc connector: host is required")
	}
	endpoint := strings.TrimPrefix(c.Host, "dns:///")
	name, port, err = net.SplitHostPort(endpoint)
	if err != nil || name == "" || strings.ContainsAny(name, "/ ") {
		return "", "", fmt.Errorf("grpc connector: host %q is neither name:port nor dns:///name:port", c.Host)
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
		return "", "", fmt.Errorf("grpc connector: host %q has no port from 1 to 65535", c.Host)
	}
	return name, port, nil
}

func parseTimeout(name, text string) (time.Duration, error) {
	timeout, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("grpc connector: %s %q is no duration such as 8s", name, text)
	}
	return timeout, nil
}
