package tilt_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hangLimit ends a test whose program does not do what it should.
const hangLimit = 20 * time.Second

// supervised is tilt/rerun as chat-api, running programs from a folder of the test.
type supervised struct {
	*exec.Cmd
	folder string
	log    string
}

// supervise starts it with the program that `source`, a text for sh, is. What a program says goes to a file.
func supervise(t *testing.T, source string, arguments ...string) supervised {
	t.Helper()
	folder := t.TempDir()
	script, err := os.ReadFile(filepath.Join(root, "tilt/rerun"))
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(folder, "rerun", "chat-api")
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(script), "/home/nonroot", folder)
	if err := os.WriteFile(place, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	result := supervised{exec.Command("sh", append([]string{place}, arguments...)...), folder, filepath.Join(folder, "log")}
	result.replace(t, source)
	if err := result.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = result.Process.Kill() })
	return result
}

// replace puts another program in the place of the one that runs, as tar does: a new file of the old name.
func (s supervised) replace(t *testing.T, source string) {
	t.Helper()
	program := filepath.Join(s.folder, "chat-api")
	text := "#!/bin/sh\nsay() { echo \"$*\" >>" + s.log + "; }\n" + source + "\n"
	if err := os.WriteFile(program+".new", []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(program+".new", program); err != nil {
		t.Fatal(err)
	}
}

// said waits until the programs have said exactly these lines.
func (s supervised) said(t *testing.T, lines ...string) {
	t.Helper()
	want := strings.Join(lines, "\n") + "\n"
	deadline := time.Now().Add(hangLimit)
	for {
		found, _ := os.ReadFile(s.log)
		if string(found) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("they said %q, not %q", found, want)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// code waits for its end.
func (s supervised) code(t *testing.T) int {
	t.Helper()
	timer := time.AfterFunc(hangLimit, func() { _ = s.Process.Kill() })
	defer timer.Stop()
	err := s.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return s.ProcessState.ExitCode()
}

// serving is a program that runs until it is told to stop, and says when it has.
func serving(name string) string {
	return `trap 'say "` + name + ` stops"; exit 0' TERM
say "` + name + ` $*"
while :; do sleep 0.05; done`
}

func TestANewerProgramTakesOverWhenTheOldOneHasStopped(t *testing.T) {
	supervised := supervise(t, serving("old"), "serve", "--fast")
	supervised.said(t, "old serve --fast")
	supervised.replace(t, serving("new"))
	if err := supervised.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	supervised.said(t, "old serve --fast", "old stops", "new serve --fast")
	if err := supervised.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := supervised.code(t); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	supervised.said(t, "old serve --fast", "old stops", "new serve --fast", "new stops")
}

func TestAProgramsEndIsThePods(t *testing.T) {
	if code := supervise(t, "exit 64").code(t); code != 64 {
		t.Errorf("the program ended with 64, and %d was passed on", code)
	}
	if code := supervise(t, "exit 0").code(t); code != 0 {
		t.Errorf("the program ended with 0, and %d was passed on", code)
	}
}
