package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

func authorities() []authoritySpec {
	return []authoritySpec{{Secret: "ca", Name: "connector", Certificates: []certificateSpec{
		{Secret: "server", Names: []string{"auth-connector", "auth-connector.chatapp.svc"}, Usages: []string{"server"}},
		{Secret: "client", Names: []string{"dex"}, Usages: []string{"client"}},
	}}}
}

// pki is an API server with the certificates of one authority.
type pki struct {
	api    *apiServer
	client *cluster
	wanted *spec
}

func startPKI(t *testing.T) *pki {
	t.Helper()
	api, client := startAPIServer(t)
	made := &pki{api, client, &spec{Authorities: authorities(), Days: 90, RenewBeforeDays: 30}}
	made.run(t, now)
	return made
}

func (p *pki) run(t *testing.T, at time.Time) {
	t.Helper()
	if err := prepare(t.Context(), p.client, p.wanted, at); err != nil {
		t.Fatal(err)
	}
}

// files is what a pod has mounted of a Secret.
type files struct{ certificate, key, authorities []byte }

func (p *pki) files(t *testing.T, name string) files {
	t.Helper()
	return files{[]byte(p.api.data(t, name, "tls.crt")), []byte(p.api.data(t, name, "tls.key")), []byte(p.api.data(t, name, "ca.crt"))}
}

// shake has a client and a server meet with these files at a time; each checks the other.
func shake(server, client files, at time.Time) error {
	config := func(own files) (*tls.Config, error) {
		pair, err := tls.X509KeyPair(own.certificate, own.key)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(own.authorities)
		return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ClientCAs: roots, ServerName: "auth-connector",
			ClientAuth: tls.RequireAndVerifyClientCert, Time: func() time.Time { return at }}, err
	}
	serving, err := config(server)
	if err != nil {
		return err
	}
	calling, err := config(client)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", serving)
	if err != nil {
		return err
	}
	defer listener.Close()
	met := make(chan error, 1)
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			defer connection.Close()
			err = connection.(*tls.Conn).Handshake()
		}
		met <- err
	}()
	connection, err := tls.Dial("tcp", listener.Addr().String(), calling)
	if err != nil {
		return err
	}
	defer connection.Close()
	// In TLS 1.3 a client is done before its certificate is looked at.
	return <-met
}

func TestServerAndClientKnowEachOther(t *testing.T) {
	made := startPKI(t)
	if err := shake(made.files(t, "server"), made.files(t, "client"), now); err != nil {
		t.Error(err)
	}
	if err := shake(made.files(t, "client"), made.files(t, "server"), now); err == nil {
		t.Error("a certificate for calling is good for being called")
	}
}

func TestACertificateIsRenewedInTimeAndNotBefore(t *testing.T) {
	made := startPKI(t)
	first := made.files(t, "server")
	made.run(t, now.Add(59*day))
	if second := made.files(t, "server"); !bytes.Equal(first.certificate, second.certificate) {
		t.Error("it is renewed with 31 days left")
	}
	later := now.Add(61 * day)
	made.run(t, later)
	third := made.files(t, "server")
	if bytes.Equal(first.certificate, third.certificate) {
		t.Fatal("it is not renewed with 29 days left")
	}
	if !bytes.Equal(first.authorities, third.authorities) {
		t.Error("the authority is another")
	}
	// In the middle of the renewal, one has its new files and the other has not.
	if err := shake(third, files{first.certificate, first.key, first.authorities}, later); err == nil {
		t.Error("a server's certificate is good for calling")
	}
}

func TestWhoAsksGetsAnotherCertificateOnce(t *testing.T) {
	made := startPKI(t)
	first := made.files(t, "client")
	made.api.secrets["client"].Metadata.Annotations = map[string]string{renewAnnotation: "now", "other": "stays"}
	made.run(t, now)
	second := made.files(t, "client")
	made.run(t, now)
	if bytes.Equal(first.certificate, second.certificate) || !bytes.Equal(second.certificate, made.files(t, "client").certificate) {
		t.Error("it is renewed never, or each time")
	}
	if notes := made.api.secrets["client"].Metadata.Annotations; len(notes) != 1 || notes["other"] != "stays" {
		t.Errorf("%v", notes)
	}
}

func TestAnotherNameMakesAnotherCertificate(t *testing.T) {
	made := startPKI(t)
	made.wanted.Authorities[0].Certificates[1].Names = []string{"dex.example"}
	first := made.files(t, "client")
	made.run(t, now)
	if bytes.Equal(first.certificate, made.files(t, "client").certificate) {
		t.Error("it bears the old name")
	}
}

func TestAnAuthorityIsTrustedBeforeItSignsAndAfterItsSuccessorDoes(t *testing.T) {
	made := startPKI(t)
	// Four years of renewals, so that the certificates are of this time.
	due := now.Add(authorityLife - authorityRenew + day)
	made.run(t, due)
	server, client := made.files(t, "server"), made.files(t, "client")
	for _, step := range []struct {
		after   time.Duration
		changes bool
	}{{0, false}, {spread / 2, false}, {spread, true}, {2 * spread, false}} {
		made.run(t, due.Add(step.after))
		newServer, newClient := made.files(t, "server"), made.files(t, "client")
		if changed := !bytes.Equal(server.certificate, newServer.certificate); changed != step.changes {
			t.Errorf("after %s the certificate is another: %v", step.after, changed)
		}
		// Whoever has files of the step before and whoever has those of this one know each other.
		for name, pair := range map[string][2]files{
			"both old": {server, client}, "new server": {newServer, client}, "new client": {server, newClient}, "both new": {newServer, newClient},
		} {
			if err := shake(pair[0], pair[1], due.Add(step.after)); err != nil {
				t.Errorf("after %s, %s: %v", step.after, name, err)
			}
		}
		server, client = newServer, newClient
	}
}

func TestAKeyThatIsNotOfItsCertificateIsReplaced(t *testing.T) {
	made := startPKI(t)
	made.api.secrets["server"].Data["tls.key"] = made.api.secrets["client"].Data["tls.key"]
	made.run(t, now)
	if err := shake(made.files(t, "server"), made.files(t, "client"), now); err != nil {
		t.Error(err)
	}
}

func TestADamagedAuthorityIsNotReplacedInSilence(t *testing.T) {
	made := startPKI(t)
	made.api.secrets["ca"].Data["tls.crt"] = []byte("none")
	if err := prepareOnce(t.Context(), made.client, made.wanted, now); err == nil {
		t.Error("every certificate is worth nothing, and nobody is told")
	}
}
