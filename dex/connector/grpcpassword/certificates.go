package grpcpassword

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc/credentials"
)

// certificates are the transport credentials of the certificate files as they are now. The files
// are read for each new connection: that is rare, needs no watcher, and misses no kind of
// replacement (rename, symbolic link, rewrite). What they hold is taken as a whole or, if it does
// not fit together, not at all: a renewal that is half written then is whole the next time.
type certificates struct {
	// Of the files as they were first; the methods that are not overridden do not depend on them.
	credentials.TransportCredentials
	config *Config
	logger *slog.Logger

	mutex   sync.Mutex
	inUse   credentials.TransportCredentials
	files   files
	problem string // that was logged last, since a service that is down is dialled every 2 s
}

// files are the contents of the three files.
type files struct{ authorities, certificate, key []byte }

// loadCertificates reads the files for the first time; they must be right.
func loadCertificates(config *Config, logger *slog.Logger) (*certificates, error) {
	files, err := config.readFiles()
	if err != nil {
		return nil, err
	}
	first, err := config.parse(files)
	if err != nil {
		return nil, err
	}
	return &certificates{TransportCredentials: first, config: config, logger: logger, inUse: first, files: files}, nil
}

// ClientHandshake implements credentials.TransportCredentials.
func (c *certificates) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return c.current().ClientHandshake(ctx, authority, conn)
}

// Clone implements credentials.TransportCredentials. The copy follows the files as well.
func (c *certificates) Clone() credentials.TransportCredentials { return c }

func (c *certificates) current() credentials.TransportCredentials {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if err := c.renew(); err == nil {
		c.problem = ""
	} else if c.problem != err.Error() {
		c.problem = err.Error()
		c.logger.Warn("the certificate files cannot be used: new connections are made with what they held before", "err", err)
	}
	return c.inUse
}

func (c *certificates) renew() error {
	files, err := c.config.readFiles()
	if err != nil || files.equal(c.files) {
		return err
	}
	renewed, err := c.config.parse(files)
	if err != nil {
		return err
	}
	c.inUse, c.files = renewed, files
	c.logger.Info("the certificate files have changed: new connections are made with them")
	return nil
}

func (f files) equal(other files) bool {
	return bytes.Equal(f.authorities, other.authorities) &&
		bytes.Equal(f.certificate, other.certificate) &&
		bytes.Equal(f.key, other.key)
}

func (c *Config) readFiles() (read files, err error) {
	for _, file := range []struct {
		name, path string
		content    *[]byte
	}{
		{"caFile", c.CAFile, &read.authorities},
		{"certFile", c.CertFile, &read.certificate},
		{"keyFile", c.KeyFile, &read.key},
	} {
		if *file.content, err = os.ReadFile(file.path); err != nil {
			return files{}, fmt.Errorf("grpc connector: %s: %w", file.name, err)
		}
	}
	return read, nil
}

func (c *Config) parse(files files) (credentials.TransportCredentials, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(files.authorities) {
		return nil, fmt.Errorf("grpc connector: caFile: %s has no PEM certificate", c.CAFile)
	}
	certificate, err := tls.X509KeyPair(files.certificate, files.key)
	if err != nil {
		return nil, fmt.Errorf("grpc connector: certFile and keyFile: %w", err)
	}
	return credentials.NewTLS(&tls.Config{
		MinVersion:   tls.VersionTLS13,
		RootCAs:      roots,
		Certificates: []tls.Certificate{certificate},
		ServerName:   c.ServerName,
	}), nil
}
