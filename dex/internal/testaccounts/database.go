// Package testaccounts runs the real auth-connector for tests, on databases of their own.
package testaccounts

import (
	"cmp"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	_ "github.com/lib/pq" // the driver "postgres"
)

// Database is a migrated accounts database with the people of a seed file in it.
type Database struct {
	*sql.DB
	// DSN is its address for auth-connector.
	DSN *url.URL
	// secrets are the variables that name the key files, the same for every replica.
	secrets []string
}

// NewDatabase makes a database in the server of POSTGRES_DSN, migrates it and seeds it. It goes with the test.
func NewDatabase(t *testing.T, seed string) *Database {
	t.Helper()
	dsn := EmptyDatabase(t)
	d := &Database{DB: Open(t, dsn), DSN: dsn}
	dir := t.TempDir()
	write := func(file, content string) string {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := func() string {
		key := make([]byte, 32)
		_, _ = rand.Read(key)
		return base64.StdEncoding.EncodeToString(key) + "\n"
	}
	d.secrets = []string{
		"PEPPER_FILE=" + write("peppers", "contract:"+key()),
		"GUARD_KEY_FILE=" + write("guard-key", key()),
	}
	d.command(t, "migrate")
	d.command(t, "seed", "--allow-plain-passwords", "--file", write("users.yaml", seed))
	return d
}

// EmptyDatabase makes a database in the server of POSTGRES_DSN. It goes with the test.
func EmptyDatabase(t *testing.T) *url.URL {
	t.Helper()
	given := os.Getenv("POSTGRES_DSN")
	if given == "" {
		t.Fatal("POSTGRES_DSN is not set: run ./dev test dex, which starts a server")
	}
	admin, err := url.Parse(given)
	if err != nil {
		t.Fatal("POSTGRES_DSN is malformed") // the error would repeat it
	}
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	name := "contract_" + hex.EncodeToString(random)
	server := Open(t, admin)
	run(t, server, "create database "+name)
	t.Cleanup(func() { run(t, server, "drop database "+name+" with (force)") })
	dsn := *admin
	dsn.Path = "/" + name
	return &dsn
}

// environment is what every command of auth-connector is told.
func (d *Database) environment() []string {
	return append([]string{
		"POSTGRES_DSN=" + d.DSN.String(),
		"BCRYPT_COST=10", // the lowest: the contract does not depend on it
	}, d.secrets...)
}

func (d *Database) command(t *testing.T, arguments ...string) {
	t.Helper()
	command := exec.Command(program(t), arguments...)
	command.Env = d.environment()
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("auth-connector %s: %v\n%s", arguments[0], err, output)
	}
}

// Exec runs a statement that must change rows.
func (d *Database) Exec(t *testing.T, statement string, arguments ...any) {
	t.Helper()
	result, err := d.DB.Exec(statement, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		t.Fatalf("%s: %d rows, %v", statement, changed, err)
	}
}

// Text is the single value that a query gives.
func (d *Database) Text(t *testing.T, query string, arguments ...any) (value string) {
	t.Helper()
	if err := d.QueryRow(query, arguments...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// Open connects to a database, for as long as the test lasts.
func Open(t *testing.T, dsn *url.URL) *sql.DB {
	t.Helper()
	plain := *dsn
	query := plain.Query()
	// The driver would demand TLS, which a test's server does not have.
	query.Set("sslmode", cmp.Or(query.Get("sslmode"), "disable"))
	plain.RawQuery = query.Encode()
	database, err := sql.Open("postgres", plain.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = database.Close() })
	return database
}

func run(t *testing.T, database *sql.DB, statement string) {
	t.Helper()
	if _, err := database.Exec(statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
}

// program is the auth-connector that cargo built.
func program(t *testing.T) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "../../..")
	target := cmp.Or(os.Getenv("CARGO_TARGET_DIR"), "target")
	if !filepath.IsAbs(target) {
		target = filepath.Join(root, target)
	}
	path := filepath.Join(target, "debug/auth-connector")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run cargo build --workspace --all-targets, or ./dev test dex", err)
	}
	return path
}
