package dex_test

import (
	"bytes"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var approvalPattern = regexp.MustCompile(`name="req" value="([^"]+)"`)

func TestAnAuthorizationRequestIsCompletedOnce(t *testing.T) {
	setup := newSetup(t)
	setup.approval = true // its page keeps the request open after the login
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	form := dex.loginForm(t)

	first, _ := dex.post(t, form, url.Values{"login": {"alice"}, "password": {right}})
	approval, err := first.Location()
	if err != nil || !strings.HasSuffix(approval.Path, "/approval") {
		t.Fatalf("sent to %s, %v", approval, err)
	}
	second, body := dex.post(t, form, url.Values{"login": {"bob"}, "password": {right}})
	if second.StatusCode != http.StatusInternalServerError || second.Header.Get("Location") != "" {
		t.Fatalf("the second login: status %d: %s", second.StatusCode, body)
	}

	_, page := dex.get(t, approval.String())
	match := approvalPattern.FindStringSubmatch(page)
	if match == nil {
		t.Fatalf("no approval in %s", page)
	}
	approved, body := dex.post(t, approval.String(), url.Values{"req": {match[1]}, "approval": {"approve"}})
	target, err := approved.Location()
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	// The claims are those of the first.
	checkClaims(t, dex.token(t, url.Values{
		"grant_type": {"authorization_code"}, "code": {target.Query().Get("code")},
		"redirect_uri": {callback}, "code_verifier": {verifier},
	}).IDToken)
	if log := dex.wholeLog(t); !strings.Contains(log, "completed before") {
		t.Errorf("the reason is not in the log: %s", log)
	}
}

func TestDeviceEndpointsAreNotServed(t *testing.T) {
	dex := newSetup(t).start(t)
	for _, path := range []string{"/device", "/device/auth/verify_code", "/device/code", "/device/token", "/device/callback"} {
		if response, _ := dex.get(t, dex.issuer+path); response.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: status %d", path, response.StatusCode)
		}
		if response, _ := dex.post(t, dex.issuer+path, url.Values{"client_id": {"chat-app-frontend"}}); response.StatusCode != http.StatusNotFound {
			t.Errorf("POST %s: status %d", path, response.StatusCode)
		}
	}
	if _, document := dex.get(t, dex.issuer+"/.well-known/openid-configuration"); !strings.Contains(document, "token_endpoint") || strings.Contains(document, "device") {
		t.Errorf("discovery: %s", document)
	}
}

// The clock is a parameter of Dex's server package, not of the binary, so the package is run as it
// is compiled into the binary.
func TestACodeLivesSixtySeconds(t *testing.T) {
	binary(t) // writes the overlay
	command := exec.Command("go", "test", "-count=1", "-v", "-mod=vendor", "-overlay", "bin/.hardened/overlay.json", "./testdata/codes")
	command.Env = append(command.Environ(), "CGO_ENABLED=0") // as the binary, so that nothing is compiled twice
	output, err := command.CombinedOutput()
	if err != nil || !bytes.Contains(output, []byte("--- PASS: TestACodeLivesSixtySeconds/")) {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestNoNameIsLoggedAtALogin(t *testing.T) {
	setup := newSetup(t)
	setup.serve(t, &accounts{})
	dex := setup.start(t)
	dex.post(t, dex.loginForm(t), url.Values{"login": {wrong}, "password": {right}}) // a password in the wrong field
	dex.post(t, dex.loginForm(t), url.Values{"login": {"alice"}, "password": {right}})
	log := dex.wholeLog(t)
	for _, event := range []string{"failed login attempt", "login successful"} {
		line := regexp.MustCompile(`.*` + event + `.*`).FindString(log)
		for _, want := range []string{"connector_id=local-postgres", "request_id="} {
			if !strings.Contains(line, want) {
				t.Errorf("%q lacks %s; log:\n%s", line, want, log)
			}
		}
	}
}
