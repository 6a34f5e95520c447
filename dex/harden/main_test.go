package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAnAnchorMustBeThereExactlyOnce(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
		fails      bool
	}{
		"once":  {"a ANCHOR z", "a new z", false},
		"never": {"a z", "a z", true},
		"twice": {"a ANCHOR ANCHOR z", "a ANCHOR ANCHOR z", true},
	} {
		t.Run(name, func(t *testing.T) {
			texts := map[string]string{"file.go": test.text}
			err := apply([]edit{{"a promise", "file.go", "ANCHOR", "new"}}, texts)
			if (err != nil) != test.fails || texts["file.go"] != test.want {
				t.Errorf("got %q, %v", texts["file.go"], err)
			}
			if test.fails && !(strings.Contains(err.Error(), "a promise") && strings.Contains(err.Error(), "file.go")) {
				t.Errorf("does not tell what and where: %v", err)
			}
		})
	}
}

func TestEveryMissingAnchorIsReported(t *testing.T) {
	err := apply([]edit{{"first", "file.go", "A", ""}, {"second", "file.go", "B", ""}}, map[string]string{"file.go": ""})
	if err == nil || !strings.Contains(err.Error(), "first") || !strings.Contains(err.Error(), "second") {
		t.Errorf("got %v", err)
	}
}

func TestCopiesJoinTheOverlayAndOriginalsStay(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "overlay.json", `{"Replace": {"vendor/added.go": "ours/added.go"}}`)
	put(t, "vendor/a.go", "one ANCHOR")
	changes := []edit{{"a promise", "vendor/a.go", "ANCHOR", "edit"}, {"another", "vendor/a.go", "one", "two"}}
	for range 2 { // the second run finds everything done
		if err := harden("overlay.json", "out", changes); err != nil {
			t.Fatal(err)
		}
	}
	var result overlay
	if err := json.Unmarshal([]byte(get(t, "out/overlay.json")), &result); err != nil {
		t.Fatal(err)
	}
	if result.Replace["vendor/added.go"] != "ours/added.go" {
		t.Errorf("our own file is lost: %v", result)
	}
	if copied := get(t, result.Replace["vendor/a.go"]); copied != "two edit" {
		t.Errorf("compiled is %q", copied)
	}
	if original := get(t, "vendor/a.go"); original != "one ANCHOR" {
		t.Errorf("the original is %q", original)
	}
}

func TestNothingIsWrittenWhenAnEditFails(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "overlay.json", `{"Replace": {"vendor/added.go": "ours/added.go"}}`)
	put(t, "vendor/a.go", "text")
	for _, change := range []edit{
		{"anchor gone", "vendor/a.go", "ANCHOR", ""},
		{"file gone", "vendor/b.go", "ANCHOR", ""},
		{"file replaced", "vendor/added.go", "ANCHOR", ""},
	} {
		if err := harden("overlay.json", "out", []edit{change}); err == nil {
			t.Errorf("%s: no error", change.promise)
		}
	}
	if _, err := os.Stat("out"); err == nil {
		t.Error("something was written")
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
