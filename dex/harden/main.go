// Harden makes the edits of edits.go on copies of Dex's files and adds the copies to an overlay of
// the go command. Dex's own files stay as they are.
//
//	harden OVERLAY.json DIRECTORY    writes DIRECTORY/overlay.json and what it names
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: harden OVERLAY.json DIRECTORY")
		os.Exit(64)
	}
	if err := harden(os.Args[1], os.Args[2], edits); err != nil {
		fmt.Fprintln(os.Stderr, "dex/harden:", err)
		os.Exit(1)
	}
}

// overlay is the go command's -overlay file: what is compiled instead of what.
type overlay struct {
	Replace map[string]string
}

func harden(base, directory string, edits []edit) error {
	var result overlay
	data, err := os.ReadFile(base)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return fmt.Errorf("%s: %w", base, err)
	}
	texts := map[string]string{}
	for _, edit := range edits {
		if _, replaced := result.Replace[edit.file]; replaced {
			return fmt.Errorf("%s is replaced by %s, so an edit of it would be lost", edit.file, base)
		}
		text, err := os.ReadFile(edit.file)
		if err != nil {
			return fmt.Errorf("%q: %w", edit.promise, err)
		}
		texts[edit.file] = string(text)
	}
	if err := apply(edits, texts); err != nil {
		return err
	}
	for file, text := range texts {
		copied := filepath.Join(directory, strings.TrimPrefix(file, "vendor/"))
		result.Replace[file] = copied
		if err := write(copied, []byte(text)); err != nil {
			return err
		}
	}
	data, err = json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	return write(filepath.Join(directory, "overlay.json"), data)
}

// apply makes the edits in the texts, and reports every one that it could not make: an upgrade of
// Dex shows all that moved at once.
func apply(edits []edit, texts map[string]string) error {
	var failures []error
	for _, edit := range edits {
		if found := strings.Count(texts[edit.file], edit.anchor); found != 1 {
			failures = append(failures, fmt.Errorf("%q: its anchor is %d times in %s, not once; see how Dex does it now and mend dex/harden:\n%s",
				edit.promise, found, edit.file, edit.anchor))
			continue
		}
		texts[edit.file] = strings.Replace(texts[edit.file], edit.anchor, edit.replacement, 1)
	}
	return errors.Join(failures...)
}

// write leaves a file alone that is right already, and never shows half of one: a compiler may be reading.
func write(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o644); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
