package dex_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestGeneratedCodeIsCurrent(t *testing.T) {
	fresh := t.TempDir()
	if output, err := exec.Command("./generate", fresh).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	checkedIn, generated := readTree(t, "gen"), readTree(t, fresh)
	for path, want := range generated {
		if !bytes.Equal(checkedIn[path], want) {
			t.Errorf("gen/%s is not what its .proto gives: run dex/generate", path)
		}
		delete(checkedIn, path)
	}
	for path := range checkedIn {
		t.Errorf("gen/%s comes from no .proto: delete it", path)
	}
}

func readTree(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
