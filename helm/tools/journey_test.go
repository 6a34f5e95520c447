package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const redirectURI = "https://chat.example/auth/callback"

// place is a Dex and a chat as far as the test after an installation sees them.
type place struct {
	challenge, state string
	// deaf: what is said is never heard. forgetful: it is not in the history.
	deaf, forgetful bool
	heard           chan string
}

// startPlace gives it, and somebody who goes there.
func startPlace(t *testing.T) (*place, *journey) {
	t.Helper()
	there := &place{heard: make(chan string, 1)}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /dex/auth/local-postgres", func(writer http.ResponseWriter, request *http.Request) {
		query := request.URL.Query()
		there.challenge, there.state = query.Get("code_challenge"), query.Get("state")
		http.Redirect(writer, request, "/dex/auth/local-postgres/login?state=of-dex", http.StatusFound)
	})
	routes.HandleFunc("GET /dex/auth/local-postgres/login", func(writer http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(writer, `<form method="post"><input name="login"><input name="password" type="password"></form>`)
	})
	routes.HandleFunc("POST /dex/auth/local-postgres/login", func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Query().Get("state") != "of-dex" || request.PostFormValue("password") != "alice walks by the sea" {
			http.Error(writer, "Invalid user name and password", http.StatusUnauthorized)
			return
		}
		back := redirectURI + "?" + url.Values{"code": {"once"}, "state": {there.state}}.Encode()
		http.Redirect(writer, request, back, http.StatusSeeOther)
	})
	routes.HandleFunc("POST /dex/token", func(writer http.ResponseWriter, request *http.Request) {
		proof := sha256.Sum256([]byte(request.PostFormValue("code_verifier")))
		if request.PostFormValue("code") != "once" || base64.RawURLEncoding.EncodeToString(proof[:]) != there.challenge {
			http.Error(writer, `{"error": "invalid_grant"}`, http.StatusBadRequest)
			return
		}
		fmt.Fprint(writer, `{"access_token": "hush"}`)
	})
	routes.HandleFunc("GET /v1/ws", there.socket)
	routes.HandleFunc("POST /v1/messages", func(writer http.ResponseWriter, _ *http.Request) {
		writer.WriteHeader(http.StatusAccepted)
		fmt.Fprint(writer, `{"message_id": "m1", "cursor": "c1"}`)
		there.heard <- "m1"
	})
	routes.HandleFunc("GET /v1/messages/m1", func(writer http.ResponseWriter, _ *http.Request) {
		if there.forgetful {
			http.Error(writer, `{"type": "behind"}`, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprint(writer, `{"content": "helm test"}`)
	})
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if strings.HasPrefix(request.URL.Path, "/v1/") && request.Header.Get("Authorization") != "Bearer hush" {
			http.Error(writer, "who are you?", http.StatusUnauthorized)
			return
		}
		routes.ServeHTTP(writer, request)
	}))
	t.Cleanup(server.Close)
	return there, &journey{dex: server.URL + "/dex", chat: server.URL, connector: "local-postgres",
		clientID: "chat-app-frontend", redirectURI: redirectURI, login: "alice", password: "alice walks by the sea"}
}

func (p *place) socket(writer http.ResponseWriter, request *http.Request) {
	socket, err := websocket.Accept(writer, request, &websocket.AcceptOptions{Subprotocols: []string{"chat.v1"}})
	if err != nil {
		return
	}
	defer socket.CloseNow()
	var asked json.RawMessage
	if wsjson.Read(request.Context(), socket, &asked) != nil || !strings.Contains(string(asked), `"lobby":null`) {
		return
	}
	_ = wsjson.Write(request.Context(), socket, map[string]string{"type": "resumed", "room_id": "lobby"})
	said := <-p.heard
	if p.deaf {
		return
	}
	_ = wsjson.Write(request.Context(), socket, map[string]any{"type": "event", "event": map[string]string{"message_id": said}})
	// Until the other end closes.
	_, _, _ = socket.Read(request.Context())
}

func TestWhoSignsInAndIsHeardArrives(t *testing.T) {
	_, trip := startPlace(t)
	if err := trip.make(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTheStepThatFailsIsNamedAndNoSecret(t *testing.T) {
	for name, test := range map[string]struct {
		breaks func(*place, *journey)
		says   string
	}{
		"password":  {func(_ *place, trip *journey) { trip.password = "hush" }, "sign in by local-postgres: Dex refuses the login: status 401"},
		"connector": {func(_ *place, trip *journey) { trip.connector = "none" }, "Dex shows no form: status 404"},
		"fan-out":   {func(there *place, _ *journey) { there.deaf = true }, "pass a message: hear it: "},
		"archive":   {func(there *place, _ *journey) { there.forgetful = true }, "find it in the history: /v1/messages/m1 answers 503"},
		"nobody":    {func(_ *place, trip *journey) { trip.dex = "http://127.0.0.1:1/dex" }, "127.0.0.1:1: dial tcp"},
	} {
		t.Run(name, func(t *testing.T) {
			there, trip := startPlace(t)
			test.breaks(there, trip)
			err := trip.make(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("%v", err)
			}
			for _, secret := range []string{"hush", "code_challenge", "walks"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

func TestAVariableThatIsMissingIsNamed(t *testing.T) {
	_, err := journeyOf(func(name string) string {
		return strings.TrimSuffix("x", map[bool]string{true: "x"}[name == "PASSWORD"])
	})
	if err == nil || !strings.Contains(err.Error(), "PASSWORD is not set") {
		t.Errorf("%v", err)
	}
}
