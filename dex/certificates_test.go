package dex_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"localaccounts/dex/internal/testprocess"
)

// volume is a Secret as a kubelet mounts it: files are links by way of ..data, and a new version is another folder that
// ..data is made to lead to.
type volume string

var files = []string{"tls.crt", "tls.key", "ca.crt"}

func newVolume(t *testing.T) volume {
	t.Helper()
	v := volume(t.TempDir())
	for _, name := range files {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(string(v), name)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// hold has it hold the contents of these files from now on.
func (v volume) hold(t *testing.T, version string, sources ...string) {
	t.Helper()
	folder := filepath.Join(string(v), version)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, name := range files {
		content, err := os.ReadFile(sources[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := filepath.Join(string(v), "..data_tmp")
	if err := os.Symlink(version, next); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, filepath.Join(string(v), "..data")); err != nil {
		t.Fatal(err)
	}
}

func TestACertificateThatKubernetesReplacesIsShown(t *testing.T) {
	setup := newSetup(t)
	mounted, address := newVolume(t), testprocess.FreeAddress(t)
	at := func(name string) string { return filepath.Join(string(mounted), name) }
	setup.top = fmt.Sprintf("grpc: {addr: %q, tlsCert: %q, tlsKey: %q, tlsClientCA: %q}",
		address, at("tls.crt"), at("tls.key"), at("ca.crt"))
	leaf := setup.authority.Issue("dex-admin")
	mounted.hold(t, "..1", leaf.CertFile, leaf.KeyFile, setup.authority.CAFile)
	dex := setup.start(t)
	isShown := func(want []byte) {
		t.Helper()
		var seen error
		for deadline := time.Now().Add(testprocess.Hang); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			// Dex shows its own before it asks for one.
			connection, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
			if seen = err; err != nil {
				continue
			}
			shown := connection.ConnectionState().PeerCertificates[0].Raw
			_ = connection.Close()
			if bytes.Equal(shown, want) {
				return
			}
		}
		t.Fatalf("another certificate is shown (%v); Dex's log:\n%s", seen, dex.Log)
	}
	isShown(leaf.Certificate.Certificate[0])

	next := setup.authority.Issue("dex-admin")
	mounted.hold(t, "..2", next.CertFile, next.KeyFile, setup.authority.CAFile)
	isShown(next.Certificate.Certificate[0])

	// A key of another: Dex says so, and what it had goes on.
	other := setup.authority.Issue("other")
	mounted.hold(t, "..3", next.CertFile, other.KeyFile, setup.authority.CAFile)
	for deadline := time.Now().Add(testprocess.Hang); !strings.Contains(dex.Log.String(), "reload TLS config"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Dex does not say so; its log:\n%s", dex.Log)
		}
	}
	isShown(next.Certificate.Certificate[0])
}
