package chart_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"sigs.k8s.io/yaml"
)

func contains(text, part string) bool { return strings.Contains(text, part) }

func notes(t *testing.T, environment string, sets ...string) string {
	t.Helper()
	files, err := render(common.ReleaseOptions{IsInstall: true}, environment, sets...)
	if err != nil {
		t.Fatal(err)
	}
	return files["chatapp/templates/NOTES.txt"]
}

func TestTheNotesSayWhereItIsAndHowTheGateStands(t *testing.T) {
	open := notes(t, "development")
	for _, words := range []string{"http://localhost:5556/dex", "Local Accounts:       on", "port-forward service/dex", "port-forward service/accounts",
		"http://localhost:5559/accounts/sign-up", "helm test -n chatapp",
		"no default StorageClass", "Keep a copy of the Secret auth-connector-keys"} {
		if !contains(open, words) {
			t.Errorf("no %q in\n%s", words, open)
		}
	}
	if shut := notes(t, "development", "localAccounts.enabled=false"); !contains(shut, "Local Accounts:       off") {
		t.Errorf("%s", shut)
	}
	production := notes(t, "production-external")
	if !contains(production, "https://chat.example/v1") || contains(production, "StorageClass") || contains(production, "port-forward") {
		t.Errorf("%s", production)
	}
}

// The table of the README names every value of the chart, with its default.
func TestTheREADMEHasTheValuesOfTheChart(t *testing.T) {
	content, err := os.ReadFile("../chatapp/README.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:`([^`]*)` )?\\|").FindAllStringSubmatch(string(content), -1) {
		documented[row[1]] = row[2]
	}
	text, err := os.ReadFile("../chatapp/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	actual := map[string]string{}
	flatten(t, "", values, actual)
	for key, value := range actual {
		if got, found := documented[key]; !found {
			t.Errorf("the README has no %s (%s)", key, value)
		} else if got != value {
			t.Errorf("%s: the README says %q, the chart has %q", key, got, value)
		}
	}
	for key := range documented {
		if _, found := actual[key]; !found {
			t.Errorf("the chart has no %s", key)
		}
	}
}

// flatten names each value by its path; dictionaries that are one thing to whoever sets them stay whole.
func flatten(t *testing.T, path string, values map[string]any, found map[string]string) {
	t.Helper()
	whole := slices.Concat(open, []string{"authConnector", "chatApi", "dex", "tools", "postgres", "kafka", "mongodb", "maildev"})
	for key, value := range values {
		name := path + key
		nested, is := value.(map[string]any)
		one := slices.Contains(open, key) || path == "images." && slices.Contains(whole, key)
		if is && !one {
			flatten(t, name+".", nested, found)
			continue
		}
		switch value := value.(type) {
		case string:
			found[name] = value
		default:
			text, err := yaml.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = inline(strings.TrimSpace(string(text)))
		}
	}
}

// inline writes a dictionary or a list in one line.
func inline(text string) string {
	if !contains(text, "\n") && !contains(text, ": ") && !strings.HasPrefix(text, "- ") {
		return text
	}
	var object any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		return err.Error()
	}
	content, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return err.Error()
	}
	return string(content)
}
