// Package images has the tests of what images/build makes. They need buildah, mmdebstrap and a C compiler,
// and root for the one that runs an image's program.
package images

import (
	"archive/tar"
	"bytes"
	"compress/zlib"
	"crypto/x509"
	"debug/elf"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const user = 65532

// hello is a program as small as they are, that needs the C library as ours do.
const hello = `#include <stdio.h>
int main(void) { puts("hello"); return 0; }
`

// made is what TestMain builds once: both images of services, of programs that are none of ours.
var made struct {
	folder   string
	programs string
	output   string
}

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	folder, err := os.MkdirTemp("", "images-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer os.RemoveAll(folder)
	made.folder = folder
	made.programs = filepath.Join(folder, "programs")
	if err := compile(made.programs, hello); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	output, err := build("--builder", "buildah", "--base", "debian", "--programs", made.programs,
		"--output", folder, "--tag", "test", "--check", "auth-connector", "chat-api")
	made.output = output
	if err != nil {
		fmt.Fprintf(os.Stderr, "images/build: %v\n%s", err, output)
		return
	}
	code = m.Run()
}

// compile makes a program auth-connector and one chat-api of the same source.
func compile(folder, source string, options ...string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"auth-connector", "chat-api"} {
		arguments := append([]string{"-g", "-o", filepath.Join(folder, name), "-x", "c", "-", "-x", "none"}, options...)
		command := exec.Command("cc", arguments...)
		command.Stdin = strings.NewReader(source)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("cc: %w\n%s", err, output)
		}
	}
	return nil
}

func build(arguments ...string) (string, error) {
	output, err := exec.Command("./build", arguments...).CombinedOutput()
	return string(output), err
}

// services are the two images, once a test has read them. Unpacking takes most of the tests' time.
var services = map[string]image{}

func service(t *testing.T, name string) image {
	t.Helper()
	if _, found := services[name]; !found {
		services[name] = read(t, filepath.Join(made.folder, name+".tar"))
	}
	return services[name]
}

func TestItSaysWhoBuilds(t *testing.T) {
	if !strings.HasPrefix(made.output, "images/build: with buildah\n") {
		t.Errorf("its first line does not name the builder:\n%s", made.output)
	}
}

func TestAServicesImageStartsItAsNobodyInParticular(t *testing.T) {
	for name, ports := range map[string][]string{
		"auth-connector": {"5557/tcp", "5559/tcp", "9101/tcp"},
		"chat-api":       {"8080/tcp", "9102/tcp"},
	} {
		config := service(t, name).config
		if want := fmt.Sprintf("%d:%d", user, user); config.User != want {
			t.Errorf("%s runs as %q, not %s", name, config.User, want)
		}
		if want := []string{"/usr/local/bin/" + name}; !slices.Equal(config.Entrypoint, want) {
			t.Errorf("%s starts %q, not %q", name, config.Entrypoint, want)
		}
		if !slices.Equal(config.Cmd, []string{"serve"}) {
			t.Errorf("%s does %q, not serve", name, config.Cmd)
		}
		for _, port := range ports {
			if _, exposed := config.ExposedPorts[port]; !exposed {
				t.Errorf("%s does not say that it listens at %s", name, port)
			}
		}
		var path string
		for _, variable := range config.Env {
			if value, found := strings.CutPrefix(variable, "PATH="); found {
				path = value
			}
		}
		if !slices.Contains(strings.Split(path, ":"), "/usr/local/bin") {
			t.Errorf("%s is not on its PATH, %q: pods name it without a folder", name, path)
		}
	}
}

func TestAnImageSaysWhatItIs(t *testing.T) {
	for _, name := range []string{"auth-connector", "chat-api"} {
		image := service(t, name)
		if want := "docker.io/chatapp/" + name + ":test"; image.reference != want {
			t.Errorf("the archive names %q, not %q", image.reference, want)
		}
		for label, pattern := range map[string]string{
			"title":       "^" + name + "$",
			"description": "^[A-Z].{10,}$",
			"licenses":    "^Apache-2.0$",
			"version":     `^\d+\.\d+\.\d+$`,
			"revision":    "^([0-9a-f]{40}(-modified)?|unknown)$",
			"created":     `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`,
			"base.name":   "^localhost/chatapp/base:debian$",
		} {
			value := image.config.Labels["org.opencontainers.image."+label]
			if !regexp.MustCompile(pattern).MatchString(value) {
				t.Errorf("%s: label %s is %q, not like %s", name, label, value, pattern)
			}
		}
	}
}

func TestNothingInAnImageRunsButItsProgram(t *testing.T) {
	for _, name := range []string{"auth-connector", "chat-api"} {
		image := service(t, name)
		program := "usr/local/bin/" + name
		for path, file := range image.files {
			if file.Mode&0o6000 != 0 && file.Typeflag == tar.TypeReg {
				t.Errorf("%s: /%s runs as somebody else (mode %o)", name, path, file.Mode)
			}
			if file.Typeflag == tar.TypeReg && (file.Uid != 0 || file.Mode&0o022 != 0) {
				t.Errorf("%s: somebody else than root may change /%s (%d, mode %o)", name, path, file.Uid, file.Mode)
			}
			library := regexp.MustCompile(`\.so(\.[0-9.]+)?$`).MatchString(path)
			if file.Typeflag == tar.TypeReg && file.Mode&0o111 != 0 && path != program && !library {
				t.Errorf("%s: /%s is a program", name, path)
			}
			if base := filepath.Base(path); slices.Contains([]string{"sh", "bash", "dash", "busybox"}, base) {
				t.Errorf("%s: /%s is a shell", name, path)
			}
		}
	}
}

func TestAnImageHasCertificatesTimeZonesAndUsers(t *testing.T) {
	files := service(t, "chat-api").files

	authorities := 0
	rest := files["etc/ssl/certs/ca-certificates.crt"].data
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(after) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("certificate %d: %v", authorities, err)
		}
		authorities++
	}
	if authorities < 100 {
		t.Errorf("there are %d certificates of authorities; Debian has more than 100", authorities)
	}

	zone, err := time.LoadLocationFromTZData("Europe/Berlin", follow(t, files, "usr/share/zoneinfo/Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	if _, offset := time.Date(2026, 7, 1, 12, 0, 0, 0, zone).Zone(); offset != 2*60*60 {
		t.Errorf("Berlin is %d s ahead in summer, not two hours", offset)
	}

	if passwd := string(files["etc/passwd"].data); !strings.Contains(passwd, fmt.Sprintf(":x:%d:%d:", user, user)) {
		t.Errorf("/etc/passwd does not know %d:\n%s", user, passwd)
	}
}

// follow reads a file, through links in its own folder or from the root.
func follow(t *testing.T, files map[string]file, name string) []byte {
	t.Helper()
	for range 8 {
		entry, found := files[name]
		if !found {
			break
		}
		if entry.Typeflag == tar.TypeReg {
			return entry.data
		}
		name = strings.TrimPrefix(path.Join("/", path.Dir(name), entry.Linkname), "/")
	}
	t.Fatalf("there is no /%s", name)
	return nil
}

func TestAProgramIsStrippedAndNamesItsCrates(t *testing.T) {
	for _, name := range []string{"auth-connector", "chat-api"} {
		program := must(elf.NewFile(bytes.NewReader(service(t, name).files["usr/local/bin/"+name].data)))(t)
		for _, section := range program.Sections {
			if section.Name == ".symtab" || strings.HasPrefix(section.Name, ".debug") {
				t.Errorf("%s still has %s", name, section.Name)
			}
		}
		section := program.Section(".dep-v0")
		if section == nil {
			t.Fatalf("%s has no list of its crates", name)
		}
		var list struct {
			Packages []struct {
				Name         string
				Root         bool
				Kind         string
				Dependencies []int
			}
		}
		reader := must(zlib.NewReader(section.Open()))(t)
		if err := json.NewDecoder(reader).Decode(&list); err != nil {
			t.Fatal(err)
		}
		kinds := map[string]string{}
		for _, entry := range list.Packages {
			kinds[entry.Name] = entry.Kind
			if entry.Root != (entry.Name == name) {
				t.Errorf("%s: %s is the root or is not", name, entry.Name)
			}
			for _, place := range entry.Dependencies {
				if place < 0 || place >= len(list.Packages) {
					t.Errorf("%s: %s needs entry %d of %d", name, entry.Name, place, len(list.Packages))
				}
			}
		}
		for crate, want := range map[string]string{"tokio": "", "rustls": "", "serde_derive": "build"} {
			if kind, found := kinds[crate]; !found || kind != want {
				t.Errorf("%s: %s is %q (in the list: %t), not %q", name, crate, kind, found, want)
			}
		}
		// Tests need it, the program does not.
		if _, found := kinds["tempfile"]; found {
			t.Errorf("%s: the list has what only tests use", name)
		}
	}
}

func TestAProgramRunsInItsImage(t *testing.T) {
	folder := t.TempDir()
	service(t, "auth-connector").write(t, folder)
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command("/usr/local/bin/auth-connector")
	command.Dir = "/"
	command.Env = []string{}
	command.SysProcAttr = &syscall.SysProcAttr{
		Chroot:     folder,
		Credential: &syscall.Credential{Uid: user, Gid: user},
	}
	output, err := command.CombinedOutput()
	if err != nil || string(output) != "hello\n" {
		t.Fatalf("%v, %q", err, output)
	}
}

func TestTheSameAgainIsTheSameImage(t *testing.T) {
	before := service(t, "auth-connector")
	folder := t.TempDir()
	if output, err := build("--builder", "buildah", "--base", "debian", "--programs", made.programs,
		"--output", folder, "--tag", "test", "auth-connector"); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if after := read(t, filepath.Join(folder, "auth-connector.tar")); after.digest != before.digest {
		t.Errorf("nothing changed, but %s became %s", before.digest, after.digest)
	}
}

func TestAnImageThatIsTooLargeFailsTheCheck(t *testing.T) {
	programs, folder := filepath.Join(t.TempDir(), "programs"), t.TempDir()
	large := hello + `__asm__(".section .large,\"a\"\n.space 81000000\n.previous");` + "\n"
	if err := compile(programs, large); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"--builder", "buildah", "--base", "debian", "--programs", programs, "--output", folder,
		"--tag", "large", "chat-api"}
	if output, err := build(arguments...); err != nil {
		t.Fatalf("without --check: %v\n%s", err, output)
	}
	output, err := build(append(arguments, "--check")...)
	if err == nil || !strings.Contains(output, "too large: chat-api (") {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestWhatCannotBeBuiltIsRefusedWithAReason(t *testing.T) {
	nothing := t.TempDir()
	text := t.TempDir()
	if err := os.WriteFile(filepath.Join(text, "chat-api"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(t.TempDir(), "programs")
	library := filepath.Join(t.TempDir(), "libelsewhere.so")
	elsewhere := exec.Command("cc", "-shared", "-Wl,-soname,libelsewhere.so", "-x", "c", "-o", library, "-")
	elsewhere.Stdin = strings.NewReader("int elsewhere(void) { return 0; }\n")
	if output, err := elsewhere.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if err := compile(shared, hello, "-Wl,--no-as-needed", library); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		arguments []string
		code      int
		says      string
	}{
		{[]string{"--fast"}, 64, "there is no option --fast"},
		{[]string{"web"}, 64, "there is no image web"},
		{[]string{"--tag"}, 64, "--tag needs a value"},
		{[]string{"--tag", "a/b"}, 64, "--tag a/b is no tag"},
		{[]string{"--builder", "kaniko"}, 64, "there is no builder kaniko"},
		{[]string{"--base", "debian", "--programs", nothing, "chat-api"}, 1, "there is no " + nothing + "/chat-api: compile it with"},
		{[]string{"--base", "debian", "--programs", text, "chat-api"}, 1, "is no program for Linux"},
		{[]string{"--base", "debian", "--programs", shared, "chat-api"}, 1, "needs libelsewhere.so"},
	} {
		output, err := build(append([]string{"--builder", "buildah"}, test.arguments...)...)
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != test.code || !strings.Contains(output, test.says) {
			t.Errorf("images/build %q: %v, not exit code %d with %q:\n%s", test.arguments, err, test.code, test.says, output)
		}
	}
}

func TestWithoutABuilderItSaysWhatIsMissing(t *testing.T) {
	broken := t.TempDir()
	for _, name := range []string{"docker", "podman", "buildah"} {
		if err := os.WriteFile(filepath.Join(broken, name), []byte("#!/bin/sh\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("./build")
	command.Env = append(os.Environ(), "PATH="+broken+":"+os.Getenv("PATH"))
	output, err := command.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "none of docker (with its daemon), podman and buildah works here") {
		t.Errorf("%v\n%s", err, output)
	}
}
