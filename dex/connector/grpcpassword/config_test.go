package grpcpassword

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"localaccounts/dex/internal/testpki"
)

const tlsFiles = `"caFile":"ca.pem","certFile":"c.pem","keyFile":"c.key"`

func TestConfigSurvivesTheWayThroughDex(t *testing.T) {
	for name, text := range map[string]string{
		"defaults": `{"host":"connector:5557",` + tlsFiles + `}`,
		"everything": `{"host":"dns:///connector:5557",` + tlsFiles + `,"serverName":"auth-connector",
			"loginTimeout":"1m","refreshTimeout":"1.5s","prompt":"Nom d'utilisateur"}`,
		"insecure": `{"host":"[::1]:5557","insecure":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			var first, second Config
			if err := json.Unmarshal([]byte(text), &first); err != nil {
				t.Fatal(err)
			}
			stored, err := json.Marshal(&first)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(stored, &second); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(first, second) {
				t.Errorf("before: %+v\nafter:  %+v", first, second)
			}
		})
	}
}

func TestConfigHasDefaults(t *testing.T) {
	config := Config{RemoteIP: func(context.Context) string { return "192.0.2.1" }}
	if err := json.Unmarshal([]byte(`{"host":"connector:5557",`+tlsFiles+`}`), &config); err != nil {
		t.Fatal(err)
	}
	if config.LoginTimeout != 8*time.Second || config.RefreshTimeout != 3*time.Second || config.Prompt != "Username or e-mail" {
		t.Errorf("got %s, %s, %q", config.LoginTimeout, config.RefreshTimeout, config.Prompt)
	}
	if config.RemoteIP == nil {
		t.Error("the registration's function is gone")
	}
}

func TestConfigErrorsNameTheSetting(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"unknown":            {`{"host":"c:1","bindPW":"x"}`, `unknown field "bindPW"`},
		"no host":            {`{` + tlsFiles + `}`, "host is required"},
		"null":               {`null`, "host is required"},
		"host without port":  {`{"host":"connector",` + tlsFiles + `}`, `host "connector"`},
		"host without name":  {`{"host":":5557",` + tlsFiles + `}`, `host ":5557"`},
		"port 0":             {`{"host":"c:0",` + tlsFiles + `}`, `host "c:0"`},
		"port too large":     {`{"host":"c:65536",` + tlsFiles + `}`, `host "c:65536"`},
		"port by name":       {`{"host":"c:grpc",` + tlsFiles + `}`, `host "c:grpc"`},
		"other scheme":       {`{"host":"unix:///run/c.sock",` + tlsFiles + `}`, `host "unix:`},
		"resolver authority": {`{"host":"dns://8.8.8.8/c:1",` + tlsFiles + `}`, `host "dns:`},
		"wrong type":         {`{"host":5557}`, "host"},
		"no CA":              {`{"host":"c:1","certFile":"c.pem","keyFile":"c.key"}`, "caFile is required"},
		"no certificate":     {`{"host":"c:1","caFile":"ca.pem","keyFile":"c.key"}`, "certFile is required"},
		"no key":             {`{"host":"c:1","caFile":"ca.pem","certFile":"c.pem"}`, "keyFile is required"},
		"insecure with CA":   {`{"host":"c:1","insecure":true,"caFile":"ca.pem"}`, "caFile and insecure"},
		"insecure with cert": {`{"host":"c:1","insecure":true,"certFile":"c.pem"}`, "certFile and insecure"},
		"insecure with key":  {`{"host":"c:1","insecure":true,"keyFile":"c.key"}`, "keyFile and insecure"},
		"insecure with name": {`{"host":"c:1","insecure":true,"serverName":"c"}`, "serverName and insecure"},
		"timeout a number":   {`{"host":"c:1","insecure":true,"loginTimeout":8}`, "loginTimeout"},
		"timeout no text":    {`{"host":"c:1","insecure":true,"loginTimeout":"soon"}`, `loginTimeout "soon"`},
		"timeout 0":          {`{"host":"c:1","insecure":true,"loginTimeout":"0s"}`, "loginTimeout 0s"},
		"timeout too long":   {`{"host":"c:1","insecure":true,"loginTimeout":"61s"}`, "loginTimeout 1m1s"},
		"refresh negative":   {`{"host":"c:1","insecure":true,"refreshTimeout":"-1s"}`, "refreshTimeout -1s"},
		"refresh too long":   {`{"host":"c:1","insecure":true,"refreshTimeout":"11s"}`, "refreshTimeout 11s"},
		"empty prompt":       {`{"host":"c:1","insecure":true,"prompt":" "}`, "prompt is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			err := json.Unmarshal([]byte(test.text), new(Config))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestOpenLoadsTheFilesAndNamesTheSetting(t *testing.T) {
	authority := testpki.New(t)
	client, other := authority.Issue("dex"), authority.Issue("other")
	notPEM := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(notPEM, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ ca, cert, key, want string }{
		"right":            {authority.CAFile, client.CertFile, client.KeyFile, ""},
		"CA missing":       {authority.CAFile + "x", client.CertFile, client.KeyFile, "caFile"},
		"CA not PEM":       {notPEM, client.CertFile, client.KeyFile, "caFile"},
		"cert missing":     {authority.CAFile, client.CertFile + "x", client.KeyFile, "certFile"},
		"cert not PEM":     {authority.CAFile, notPEM, client.KeyFile, "certFile"},
		"key of the other": {authority.CAFile, client.CertFile, other.KeyFile, "keyFile"},
	} {
		t.Run(name, func(t *testing.T) {
			config := validConfig()
			config.Insecure = false
			config.CAFile, config.CertFile, config.KeyFile = test.ca, test.cert, test.key
			_, err := config.Open("id", slog.New(slog.DiscardHandler))
			if test.want == "" && err != nil {
				t.Fatal(err)
			}
			if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestOpenValidates(t *testing.T) {
	config := validConfig()
	config.Host = ""
	if _, err := config.Open("id", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a connector without a host was opened")
	}
}

func TestOpenWarnsWhenInsecure(t *testing.T) {
	var log bytes.Buffer
	config := validConfig()
	if _, err := config.Open("local-postgres", slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "WARN") || !strings.Contains(log.String(), "insecure") || !strings.Contains(log.String(), "local-postgres") {
		t.Errorf("logged: %s", log.String())
	}
}

func validConfig() Config {
	return Config{
		Host:           "127.0.0.1:5557",
		Insecure:       true,
		LoginTimeout:   defaultLoginTimeout,
		RefreshTimeout: defaultRefreshTimeout,
		Prompt:         defaultPrompt,
	}
}
