package main

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// apiServer keeps Secrets of one namespace, as far as this program asks for them.
type apiServer struct {
	mutex   sync.Mutex
	secrets map[string]*secret
	// writes counts what was created and replaced.
	writes int
	// refused is called after a call was refused.
	refused func()
	// ahead is called once before a write, for somebody who writes at the same time.
	ahead func(name string)
}

// startAPIServer gives it, and a client as a pod has one.
func startAPIServer(t *testing.T) (*apiServer, *cluster) {
	t.Helper()
	fake := &apiServer{secrets: map[string]*secret{}}
	server := httptest.NewTLSServer(fake)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, content := range map[string]string{"token": "hush\n", "namespace": "chatapp", "ca.crt": string(certificate)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"KUBERNETES_SERVICE_HOST": address.Hostname(), "KUBERNETES_SERVICE_PORT": address.Port()}
	client, err := inCluster(func(name string) string { return env[name] }, dir)
	if err != nil {
		t.Fatal(err)
	}
	return fake, client
}

func (f *apiServer) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	const path = "/api/v1/namespaces/chatapp/secrets"
	if request.Header.Get("Authorization") != "Bearer hush" || !strings.HasPrefix(request.URL.Path, path) {
		http.Error(writer, `{"message": "who are you?"}`, http.StatusForbidden)
		if f.refused != nil {
			f.refused()
		}
		return
	}
	var sent secret
	if request.Method != http.MethodGet {
		if err := json.NewDecoder(request.Body).Decode(&sent); err != nil {
			http.Error(writer, `{"message": "no JSON"}`, http.StatusBadRequest)
			return
		}
		if f.ahead != nil {
			ahead := f.ahead
			f.ahead = nil
			ahead(sent.Metadata.Name)
		}
	}
	name := strings.TrimPrefix(strings.TrimPrefix(request.URL.Path, path), "/")
	switch stored := f.secrets[name]; {
	case request.Method == http.MethodGet && stored == nil:
		http.Error(writer, `{"message": "not found"}`, http.StatusNotFound)
	case request.Method == http.MethodGet:
		_ = json.NewEncoder(writer).Encode(stored)
	case request.Method == http.MethodPost && f.secrets[sent.Metadata.Name] != nil,
		request.Method == http.MethodPut && stored.Metadata.ResourceVersion != sent.Metadata.ResourceVersion:
		http.Error(writer, `{"message": "conflict"}`, http.StatusConflict)
	default:
		f.put(&sent)
		_ = json.NewEncoder(writer).Encode(sent)
	}
}

func (f *apiServer) put(written *secret) {
	f.writes++
	written.Metadata.ResourceVersion = strconv.Itoa(f.writes)
	f.secrets[written.Metadata.Name] = written
}

func (f *apiServer) data(t *testing.T, name, key string) string {
	t.Helper()
	f.mutex.Lock()
	defer f.mutex.Unlock()
	stored := f.secrets[name]
	if stored == nil || len(stored.Data[key]) == 0 {
		t.Fatalf("there is no %s in Secret %s", key, name)
	}
	return string(stored.Data[key])
}
