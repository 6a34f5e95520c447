package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

const (
	// maxRedirects: Dex redirects twice at most; more is a loop.
	maxRedirects = 8
	// maxPage is more than any page or answer of Dex and of the chat has.
	maxPage = 1 << 20
	// scopes: the last one has the chat among those the token is for.
	scopes = "openid profile audience:server:client_id:chat-api"
)

// journey is what the test does: one person signs in, hears the lobby and says something there.
type journey struct {
	// dex is where Dex is reached, with the path of the issuer; chat is the chat without /v1.
	dex, chat string
	// connector is the id of the way in: local-postgres, or local for Dex's own list.
	connector       string
	clientID        string
	redirectURI     string
	login, password string
	http            *http.Client
}

func testCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	limit := flags.Duration("for", time.Minute, "how long at most")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", err, errUsage)
	}
	trip, err := journeyOf(os.Getenv)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	return trip.make(ctx)
}

func journeyOf(env func(string) string) (*journey, error) {
	read := map[string]string{}
	for _, name := range []string{"DEX_URL", "CHAT_URL", "CONNECTOR_ID", "CLIENT_ID", "REDIRECT_URI", "LOGIN", "PASSWORD"} {
		if read[name] = env(name); read[name] == "" {
			return nil, fmt.Errorf("%s is not set: %w", name, errUsage)
		}
	}
	return &journey{
		dex: read["DEX_URL"], chat: read["CHAT_URL"], connector: read["CONNECTOR_ID"],
		clientID: read["CLIENT_ID"], redirectURI: read["REDIRECT_URI"],
		login: read["LOGIN"], password: read["PASSWORD"],
	}, nil
}

func (j *journey) make(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	j.http = &http.Client{
		Jar:     jar,
		Timeout: 15 * time.Second,
		// Followed by hand, so that the app's address is seen and not asked for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	begin := time.Now()
	token, err := j.signIn(ctx)
	if err != nil {
		return fmt.Errorf("sign in by %s: %w", j.connector, err)
	}
	say("signed in by %s (%s)", j.connector, since(begin))
	begin = time.Now()
	if err := j.passMessage(ctx, token); err != nil {
		return fmt.Errorf("pass a message: %w", err)
	}
	say("said, heard and found in the history (%s)", since(begin))
	return nil
}

func since(begin time.Time) time.Duration { return time.Since(begin).Round(time.Millisecond) }

// signIn does what a browser does: the authorization request (RFC 6749, RFC 7636), the form, the code.
func (j *journey) signIn(ctx context.Context) (string, error) {
	verifier, state := unguessable(), unguessable()
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id": {j.clientID}, "redirect_uri": {j.redirectURI}, "response_type": {"code"},
		"scope": {scopes}, "state": {state}, "nonce": {unguessable()}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])},
	}
	form, err := j.follow(ctx, http.MethodGet, j.dex+"/auth/"+j.connector+"?"+query.Encode(), nil)
	if err != nil {
		return "", err
	}
	if form.status != http.StatusOK || !strings.Contains(form.body, `name="password"`) {
		return "", fmt.Errorf("Dex shows no form: status %d", form.status)
	}
	back, err := j.follow(ctx, http.MethodPost, form.address.String(), url.Values{"login": {j.login}, "password": {j.password}})
	if err != nil {
		return "", err
	}
	if back.status != 0 {
		return "", fmt.Errorf("Dex refuses the login: status %d", back.status)
	}
	answer := back.address.Query()
	if answer.Get("state") != state || answer.Get("code") == "" {
		return "", fmt.Errorf("Dex sends no code back: %s %s", answer.Get("error"), answer.Get("error_description"))
	}
	return j.exchange(ctx, answer.Get("code"), verifier)
}

func (j *journey) exchange(ctx context.Context, code, verifier string) (string, error) {
	tokens := struct {
		AccessToken string `json:"access_token"`
	}{}
	err := j.ask(ctx, http.MethodPost, j.dex+"/token", "", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {j.clientID}, "redirect_uri": {j.redirectURI},
		"code": {code}, "code_verifier": {verifier},
	}, &tokens)
	if err == nil && tokens.AccessToken == "" {
		err = errors.New("there is no access token")
	}
	return tokens.AccessToken, err
}

// seen is where a browser ends: a page, or with status 0 the app's address.
type seen struct {
	address *url.URL
	status  int
	body    string
}

func (j *journey) follow(ctx context.Context, method, target string, form url.Values) (*seen, error) {
	for range maxRedirects {
		request, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(form.Encode()))
		if err != nil {
			return nil, err
		}
		if form != nil {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		response, err := j.http.Do(request)
		if err != nil {
			return nil, plain(err)
		}
		body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
		response.Body.Close()
		if err != nil {
			return nil, err
		}
		next, err := response.Location()
		if errors.Is(err, http.ErrNoLocation) {
			return &seen{request.URL, response.StatusCode, string(body)}, nil
		}
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(next.String(), j.redirectURI+"?") {
			return &seen{address: next}, nil
		}
		method, target, form = http.MethodGet, next.String(), nil
	}
	return nil, errors.New("Dex redirects in a circle")
}

// passMessage hears the lobby at a socket, says something by REST, and finds it in the history.
func (j *journey) passMessage(ctx context.Context, token string) error {
	socket, response, err := websocket.Dial(ctx, j.chat+"/v1/ws", &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + token}},
		Subprotocols: []string{"chat.v1"},
	})
	if err != nil {
		if response != nil {
			return fmt.Errorf("the socket is refused: %s", response.Status)
		}
		return plain(err)
	}
	defer socket.CloseNow()
	err = wsjson.Write(ctx, socket, map[string]any{"type": "subscribe", "rooms": map[string]any{"lobby": nil}})
	if err != nil {
		return err
	}
	if err := hear(ctx, socket, func(heard heardFrame) bool { return heard.Type == "resumed" }); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	said := struct {
		MessageID string `json:"message_id"`
		Cursor    string `json:"cursor"`
	}{}
	err = j.ask(ctx, http.MethodPost, j.chat+"/v1/messages", token, map[string]string{
		"content": "helm test", "room_id": "lobby",
	}, &said)
	if err != nil {
		return fmt.Errorf("say it: %w", err)
	}
	err = hear(ctx, socket, func(heard heardFrame) bool { return heard.Event.MessageID == said.MessageID })
	if err != nil {
		return fmt.Errorf("hear it: %w", err)
	}
	found := struct {
		Content string `json:"content"`
	}{}
	if err := j.ask(ctx, http.MethodGet, j.chat+"/v1/messages/"+said.MessageID, token, nil, &found); err != nil {
		return fmt.Errorf("find it in the history: %w", err)
	}
	if found.Content != "helm test" {
		return errors.New("the history has something else under its id")
	}
	return socket.Close(websocket.StatusNormalClosure, "")
}

type heardFrame struct {
	Type  string `json:"type"`
	Code  string `json:"code"`
	Event struct {
		MessageID string `json:"message_id"`
	} `json:"event"`
}

// hear reads frames until one is what was waited for.
func hear(ctx context.Context, socket *websocket.Conn, waited func(heardFrame) bool) error {
	for {
		var heard heardFrame
		if err := wsjson.Read(ctx, socket, &heard); err != nil {
			return err
		}
		if heard.Type == "error" {
			return fmt.Errorf("the chat says %s", heard.Code)
		}
		if waited(heard) {
			return nil
		}
	}
}

// ask sends a form or JSON and reads JSON. Errors have neither the token nor what was sent.
func (j *journey) ask(ctx context.Context, method, target, token string, body, answer any) error {
	var sent io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case url.Values:
		sent, kind = strings.NewReader(body.Encode()), "application/x-www-form-urlencoded"
	default:
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, target, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := j.http.Do(request)
	if err != nil {
		return plain(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s answers %s: %s", request.URL.Path, response.Status, content)
	}
	return json.Unmarshal(content, answer)
}

// plain is an error of a request without its address, whose query has what only the two should know.
func plain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", host(failed.URL), failed.Err)
	}
	return err
}

func host(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "the address"
	}
	return parsed.Host
}

// unguessable is 256 bits as text that a URL may have.
func unguessable() string { return base64.RawURLEncoding.EncodeToString(random(32)) }
