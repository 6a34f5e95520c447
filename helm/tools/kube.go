package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// accountDir is where the kubelet puts the token of the pod's ServiceAccount.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

var (
	errNotFound = errors.New("not found")
	// errConflict says that somebody else wrote meanwhile.
	errConflict = errors.New("was changed by somebody else meanwhile")
)

// secret is what we use of a Secret (core/v1).
type secret struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Type       string            `json:"type,omitempty"`
	Data       map[string][]byte `json:"data"`
}

type metadata struct {
	Name            string            `json:"name"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
	Annotations     map[string]string `json:"annotations,omitempty"`
}

// cluster writes Secrets of one namespace. The four calls that are needed do not make up for client-go, which
// is thirty times this program.
type cluster struct {
	base  string
	token string
	http  *http.Client
}

// inCluster is the API server as a pod sees it.
func inCluster(env func(string) string, dir string) (*cluster, error) {
	host, port := env("KUBERNETES_SERVICE_HOST"), env("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, fmt.Errorf("KUBERNETES_SERVICE_HOST is not set: this runs in a pod: %w", errUsage)
	}
	read := func(name string) (string, error) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		return strings.TrimSpace(string(content)), err
	}
	token, err := read("token")
	if err != nil {
		return nil, fmt.Errorf("the pod's ServiceAccount has no token: %w", err)
	}
	namespace, err := read("namespace")
	if err != nil {
		return nil, err
	}
	authority, err := read("ca.crt")
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(authority)) {
		return nil, errors.New("the ServiceAccount's ca.crt holds no certificate")
	}
	return &cluster{
		base:  "https://" + net.JoinHostPort(host, port) + "/api/v1/namespaces/" + namespace + "/secrets",
		token: token,
		http: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
		},
	}, nil
}

func (c *cluster) get(ctx context.Context, name string) (*secret, error) {
	found := new(secret)
	if err := c.call(ctx, http.MethodGet, "/"+name, nil, found); err != nil {
		return nil, fmt.Errorf("read Secret %s: %w", name, err)
	}
	return found, nil
}

func (c *cluster) create(ctx context.Context, wanted *secret) error {
	wanted.APIVersion, wanted.Kind = "v1", "Secret"
	if err := c.call(ctx, http.MethodPost, "", wanted, nil); err != nil {
		return fmt.Errorf("create Secret %s: %w", wanted.Metadata.Name, err)
	}
	return nil
}

// update replaces what was read; whoever wrote meanwhile wins.
func (c *cluster) update(ctx context.Context, wanted *secret) error {
	wanted.APIVersion, wanted.Kind = "v1", "Secret"
	if err := c.call(ctx, http.MethodPut, "/"+wanted.Metadata.Name, wanted, nil); err != nil {
		return fmt.Errorf("update Secret %s: %w", wanted.Metadata.Name, err)
	}
	return nil
}

func (c *cluster) call(ctx context.Context, method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNotFound:
		return errNotFound
	case response.StatusCode == http.StatusConflict:
		return errConflict
	case response.StatusCode >= 300:
		// A Status (meta/v1) says why; never what was sent.
		var status struct{ Message string }
		_ = json.NewDecoder(io.LimitReader(response.Body, 1<<16)).Decode(&status)
		return fmt.Errorf("the API server answered %s: %s", response.Status, status.Message)
	case answer == nil:
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
