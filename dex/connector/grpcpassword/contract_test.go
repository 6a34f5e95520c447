package grpcpassword

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/dexidp/dex/connector"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"localaccounts/dex/internal/testaccounts"
	"localaccounts/dex/internal/testpki"
)

// The contract tests have the connector, set up as Dex does it, call the real auth-connector.

// seed are the people of the contract tests; all have the constant password.
const seed = `users:
- {username: alice, email: alice@example.com, email_verified: true, full_name: Alice Example, groups: [users, admins], password: ` + password + `}
- {username: bob, password: ` + password + `}
- {username: carol, email: carol@example.com, full_name: Carol Example, password: ` + password + `}
- {username: dave, is_active: false, password: ` + password + `}
`

// attempt is where a call comes from; Dex keeps it in the context of a request.
type attempt struct{ ip, id string }

type attemptKey struct{}

var attempts atomic.Uint32

// newAttempt comes from a network where nobody was before: auth-connector limits attempts per network, and these
// tests are not about its limits. The addresses are those for benchmarks (RFC 2544): 512 networks of 256.
func newAttempt() attempt {
	n := attempts.Add(1)
	return attempt{ip: fmt.Sprintf("198.%d.%d.1", 18+n/256%2, n%256), id: fmt.Sprintf("request-%d", n)}
}

func (a attempt) context(t *testing.T) context.Context {
	return context.WithValue(t.Context(), attemptKey{}, a)
}

// elsewhere is the context of a new attempt.
func elsewhere(t *testing.T) context.Context { return newAttempt().context(t) }

// dexConfig is a configuration that has been through Dex: it becomes JSON and is read again.
func dexConfig(t *testing.T, host string, files testaccounts.Files) *Config {
	t.Helper()
	config := &Config{
		RemoteIP:  func(ctx context.Context) string { a, _ := ctx.Value(attemptKey{}).(attempt); return a.ip },
		RequestID: func(ctx context.Context) string { a, _ := ctx.Value(attemptKey{}).(attempt); return a.id },
	}
	var given any = map[string]string{
		"host": host, "serverName": "auth-connector",
		"caFile": files.CA, "certFile": files.Cert, "keyFile": files.Key,
		"loginTimeout": "1m", "refreshTimeout": "10s", // hang limits: a loaded machine is not a broken one
	}
	for range 2 {
		text, err := json.Marshal(given)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, config); err != nil {
			t.Fatal(err)
		}
		given = config
	}
	return config
}

// contract is a running auth-connector and a connector that calls it with Dex's certificate.
type contract struct {
	*passwordConnector
	database  *testaccounts.Database
	service   *testaccounts.Service
	authority *testpki.Authority
}

func newContract(t *testing.T) *contract {
	t.Helper()
	authority, database := testpki.New(t), testaccounts.NewDatabase(t, seed)
	service := database.Serve(t, authority)
	return &contract{
		passwordConnector: openConnector(t, *dexConfig(t, service.Address, clientFiles(authority, "dex"))),
		database:          database,
		service:           service,
		authority:         authority,
	}
}

func clientFiles(authority *testpki.Authority, name string) testaccounts.Files {
	leaf := authority.Issue(name)
	return testaccounts.Files{CA: authority.CAFile, Cert: leaf.CertFile, Key: leaf.KeyFile}
}

// logIn must succeed.
func (c *contract) logIn(t *testing.T, scopes connector.Scopes, name string) connector.Identity {
	t.Helper()
	identity, valid, err := c.Login(elsewhere(t), scopes, name, password)
	if err != nil || !valid {
		t.Fatalf("%s: %t, %v; auth-connector's log:\n%s", name, valid, err, c.service.Log)
	}
	return identity
}

// checkRefused tells whether an attempt is a refusal, which Dex answers with the form again: no error, no identity.
func (c *contract) checkRefused(t *testing.T, name, typed string) {
	t.Helper()
	identity, valid, err := c.Login(elsewhere(t), connector.Scopes{}, name, typed)
	if err != nil || valid || !reflect.DeepEqual(identity, connector.Identity{}) {
		t.Errorf("got %+v, %t, %v", identity, valid, err)
	}
}

func TestContractALoginTellsDexWhoItIs(t *testing.T) {
	c := newContract(t)
	want := connector.Identity{
		UserID:            c.database.Text(t, "select id from users where username = 'alice'"),
		Username:          "Alice Example",
		PreferredUsername: "alice",
		Email:             "alice@example.com",
		EmailVerified:     true,
		ConnectorData:     make([]byte, 8), // the account's epoch, 0
	}
	for _, name := range []string{"alice", " ALICE ", "alice@example.com", "Alice@EXAMPLE.com"} {
		if got := c.logIn(t, connector.Scopes{OfflineAccess: true}, name); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %+v", name, got)
		}
	}

	bob := c.logIn(t, connector.Scopes{}, "bob")
	want = connector.Identity{UserID: bob.UserID, Username: "bob", PreferredUsername: "bob", ConnectorData: make([]byte, 8)}
	if !reflect.DeepEqual(bob, want) {
		t.Errorf("bob, of whom only the name is known, is %+v", bob)
	}
	if carol := c.logIn(t, connector.Scopes{}, "carol"); carol.EmailVerified {
		t.Error("carol's address is verified")
	}
}

func TestContractGroupsAreToldOnlyWhenAskedFor(t *testing.T) {
	c := newContract(t)
	with, without := connector.Scopes{Groups: true}, connector.Scopes{OfflineAccess: true}
	check := func(identity connector.Identity, want ...string) {
		t.Helper()
		if slices.Sort(identity.Groups); !slices.Equal(identity.Groups, want) {
			t.Errorf("groups %q, want %q", identity.Groups, want)
		}
	}
	refresh := func(scopes connector.Scopes, identity connector.Identity) connector.Identity {
		t.Helper()
		refreshed, err := c.Refresh(elsewhere(t), scopes, identity)
		if err != nil {
			t.Fatal(err)
		}
		return refreshed
	}
	alice := c.logIn(t, with, "alice")
	check(alice, "admins", "users")
	check(refresh(with, alice), "admins", "users")
	check(refresh(without, alice))
	check(c.logIn(t, without, "alice"))
	check(c.logIn(t, with, "bob"))
}

func TestContractARefusalIsNoError(t *testing.T) {
	c := newContract(t)
	for name, test := range map[string]struct{ name, password string }{
		"wrong password":   {"alice", "incorrect horse battery staple"},
		"unknown name":     {"nobody", password},
		"unknown address":  {"alice@example.org", password},
		"disabled account": {"dave", password},
		"disabled, wrong":  {"dave", "incorrect horse battery staple"},
	} {
		t.Run(name, func(t *testing.T) { c.checkRefused(t, test.name, test.password) })
	}
}

func TestContractBadInputIsRefusedAndNeverAnErrorPage(t *testing.T) {
	c := newContract(t)
	for what, name := range map[string]string{
		"empty":         "",
		"blank":         " \t ",
		"1,025 bytes":   long(1025),
		"16 KiB":        long(16 << 10),
		"over 16 KiB":   long(16<<10 + 1),
		"NUL":           "alice\x00",
		"non-UTF-8":     "alice\xff\xfe",
		"right-to-left": "\u202ealice",
		"homoglyph":     "\u0430lice", // Cyrillic а
		"line break":    "alice\r\nbob",
	} {
		t.Run("name, "+what, func(t *testing.T) { c.checkRefused(t, name, password) })
	}
	for what, typed := range map[string]string{
		"empty":         "",
		"73 bytes":      long(73),
		"1,024 bytes":   long(1024),
		"1,025 bytes":   long(1025),
		"over 16 KiB":   long(16<<10 + 1),
		"NUL":           password + "\x00",
		"non-UTF-8":     password + "\xff",
		"right-to-left": "\u202e" + password,
		"homoglyph":     "\u0441" + password[1:], // Cyrillic с
	} {
		// Nine failures: one fewer than close an account to strangers.
		t.Run("password, "+what, func(t *testing.T) { c.checkRefused(t, "alice", typed) })
	}
	c.logIn(t, connector.Scopes{}, "alice") // and nothing broke
}

func long(bytes int) string { return fmt.Sprintf("%0*d", bytes, 0) }

func TestContractARefreshTellsTheAccountAsItIsNow(t *testing.T) {
	c := newContract(t)
	scopes := connector.Scopes{OfflineAccess: true, Groups: true}
	before := c.logIn(t, scopes, "alice")
	c.database.Exec(t, "update users set username = 'alicia', username_key = 'alicia', full_name = 'Alicia Example', email_verified = false where username = 'alice'")
	c.database.Exec(t, "delete from user_groups where group_name = 'admins'")
	want := before
	want.Username, want.PreferredUsername, want.EmailVerified, want.Groups = "Alicia Example", "alicia", false, []string{"users"}
	for range 2 { // what a refresh gives is what the next one is made with
		got, err := c.Refresh(elsewhere(t), scopes, before)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v", got, err)
		}
		before = got
	}
}

func TestContractARefreshIsRefused(t *testing.T) {
	c := newContract(t)
	scopes := connector.Scopes{OfflineAccess: true}
	people := map[string]connector.Identity{}
	for _, name := range []string{"alice", "bob", "carol"} {
		people[name] = c.logIn(t, scopes, name)
		if _, err := c.Refresh(elsewhere(t), scopes, people[name]); err != nil {
			t.Fatalf("%s may not go on: %v", name, err)
		}
	}
	c.database.Exec(t, "update users set is_active = false where username = 'bob'")
	c.database.Exec(t, "update users set auth_epoch = auth_epoch + 1 where username = 'carol'")
	forged := func(change func(*connector.Identity)) connector.Identity {
		identity := people["alice"]
		change(&identity)
		return identity
	}
	for name, test := range map[string]struct {
		identity connector.Identity
		want     codes.Code
	}{
		"disabled since":            {people["bob"], codes.PermissionDenied},
		"sessions ended since":      {people["carol"], codes.PermissionDenied},
		"forged: nobody's id":       {forged(func(i *connector.Identity) { i.UserID = "3f0cbd0e-3f6b-4b8f-9f2e-0c2f4f4b7d11" }), codes.PermissionDenied},
		"forged: no id":             {forged(func(i *connector.Identity) { i.UserID = "alice' or true" }), codes.InvalidArgument},
		"forged: an epoch to come":  {forged(func(i *connector.Identity) { i.ConnectorData = []byte{0, 0, 0, 0, 0, 0, 0, 1} }), codes.PermissionDenied},
		"forged: no connector data": {forged(func(i *connector.Identity) { i.ConnectorData = nil }), codes.PermissionDenied},
		"forged: 4 KiB of it":       {forged(func(i *connector.Identity) { i.ConnectorData = []byte(long(4 << 10)) }), codes.PermissionDenied},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.Refresh(elsewhere(t), scopes, test.identity)
			if status.Code(err) != test.want || !reflect.DeepEqual(got, connector.Identity{}) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestContractACodeIsWorthWhatItsAccountIs(t *testing.T) {
	c := newContract(t)
	confirm := func(identity connector.Identity, want bool) {
		t.Helper()
		if confirmed, err := c.ConfirmCode(elsewhere(t), identity); err != nil || confirmed != want {
			t.Errorf("got %t, %v; want %t", confirmed, err, want)
		}
	}
	before := c.logIn(t, connector.Scopes{}, "alice")
	confirm(before, true)
	c.database.Exec(t, "update users set is_active = false, auth_epoch = auth_epoch + 1 where username = 'alice'")
	c.database.Exec(t, "insert into due_work (id, kind, user_id, created_at, due_at) values (gen_random_uuid(), 'revocation', $1, now(), now())", before.UserID)
	confirm(before, false)
	c.database.Exec(t, "update users set is_active = true where username = 'alice'")
	confirm(before, false)

	// Dex is yet to forget what was before. A session waits for that, since Dex mixes them up; the code of a login does not.
	after := c.logIn(t, connector.Scopes{}, "alice")
	if _, err := c.Refresh(elsewhere(t), connector.Scopes{}, after); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("a session goes on: %v", err)
	}
	confirm(after, true)
	c.database.Exec(t, "delete from users where username = 'alice'")
	confirm(after, false)
}
