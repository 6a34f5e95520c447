package server

import (
	"cmp"
	"context"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/dexidp/dex/storage"
)

// isText tells whether a storage can keep a text. PostgreSQL fails on any other, also where it is only looked for.
func isText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// areTexts tells it of the values of a form.
func areTexts(form url.Values) bool {
	for _, values := range form {
		if !isText(strings.Join(values, "")) {
			return false
		}
	}
	return true
}

// What is not text is the id of nothing. The server reaches its storage through the key cacher.

// GetAuthRequest implements storage.Storage.
func (k *keyCacher) GetAuthRequest(ctx context.Context, id string) (storage.AuthRequest, error) {
	return found(ctx, id, k.Storage.GetAuthRequest)
}

// GetAuthCode implements storage.Storage.
func (k *keyCacher) GetAuthCode(ctx context.Context, id string) (storage.AuthCode, error) {
	return found(ctx, id, k.Storage.GetAuthCode)
}

// DeleteAuthCode implements storage.Storage.
func (k *keyCacher) DeleteAuthCode(ctx context.Context, id string) error {
	if !isText(id) {
		return storage.ErrNotFound
	}
	return k.Storage.DeleteAuthCode(ctx, id)
}

// GetClient implements storage.Storage.
func (k *keyCacher) GetClient(ctx context.Context, id string) (storage.Client, error) {
	return found(ctx, id, k.Storage.GetClient)
}

// GetRefresh implements storage.Storage.
func (k *keyCacher) GetRefresh(ctx context.Context, id string) (storage.RefreshToken, error) {
	return found(ctx, id, k.Storage.GetRefresh)
}

// GetPassword implements storage.Storage.
func (k *keyCacher) GetPassword(ctx context.Context, email string) (storage.Password, error) {
	return found(ctx, email, k.Storage.GetPassword)
}

func found[T any](ctx context.Context, id string, get func(context.Context, string) (T, error)) (T, error) {
	if !isText(id) {
		var none T
		return none, storage.ErrNotFound
	}
	return get(ctx, id)
}

// filesOnly is a file system whose folders are not shown.
type filesOnly struct{ fs.FS }

// Open implements fs.FS.
func (f filesOnly) Open(name string) (fs.File, error) {
	if info, err := fs.Stat(f.FS, name); err == nil && info.IsDir() {
		return nil, fs.ErrNotExist
	}
	return f.FS.Open(name)
}

// wayBack is where an error page leads: to the app that sent somebody here, at an address that is registered for it,
// with an answer that OAuth knows (RFC 6749, section 4.1.2.1). It is empty if nobody knows which app that was.
func (s *Server) wayBack(r *http.Request) template.URL {
	var request storage.AuthRequest
	err := error(storage.ErrNotFound)
	if id := cmp.Or(r.FormValue("req"), r.FormValue("state")); id != "" {
		request, err = s.storage.GetAuthRequest(r.Context(), id)
	}
	if err != nil {
		// Before there is a request at Dex: `state` is the app's.
		redirectURI := r.FormValue("redirect_uri")
		client, err := s.storage.GetClient(r.Context(), r.FormValue("client_id"))
		if err != nil || !validateRedirectURI(client, redirectURI) {
			return ""
		}
		request.RedirectURI, request.State = redirectURI, r.FormValue("state")
	}
	back, err := url.Parse(request.RedirectURI)
	if err != nil || back.Scheme == "" || back.Opaque != "" {
		return "" // an app that has no address: the person copies the code
	}
	query := back.Query()
	query.Set("error", errAccessDenied)
	query.Set("state", request.State)
	back.RawQuery = query.Encode()
	return template.URL(back.String())
}
