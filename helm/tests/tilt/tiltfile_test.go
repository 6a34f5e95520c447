// Package tilt_test evaluates the Tiltfile with recorded builtins of Tilt, and compares what it says with the
// chart.
package tilt_test

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// kind is a cluster of kind, as it is named by default.
const kind = "kind-kind"

// gates are the settings of the command line, each with what it means to the chart.
var gates = []struct {
	arguments []string
	sets      []string
}{
	{nil, []string{"localAccounts.enabled=true", "dex.enablePasswordDB=true"}},
	{[]string{"--local-accounts=true", "--password-db=true"}, []string{"localAccounts.enabled=true", "dex.enablePasswordDB=true"}},
	{[]string{"--local-accounts=false"}, []string{"localAccounts.enabled=false", "dex.enablePasswordDB=true"}},
	{[]string{"--password-db=false"}, []string{"localAccounts.enabled=true", "dex.enablePasswordDB=false"}},
}

// outcome is what Tilt was told with a setting, and what the chart yields by itself.
type outcome struct {
	told  *recording
	chart []map[string]any
	err   error
}

// outcomes are those of the gates. Nothing changes them, and rendering takes most of the time.
var outcomes = sync.OnceValue(func() []outcome {
	found := make([]outcome, len(gates))
	for i, gate := range gates {
		if found[i].told, found[i].err = evaluate(kind, gate.arguments...); found[i].err != nil {
			continue
		}
		values := []string{"helm/values/development.yaml"}
		text, err := template("helm/chatapp", "chatapp", "chatapp", values, gate.sets)
		if err == nil {
			found[i].chart, err = parseObjects(text)
		}
		found[i].err = err
	}
	return found
})

// eachGate runs a test for each.
func eachGate(t *testing.T, test func(t *testing.T, told *recording, chart []map[string]any)) {
	t.Helper()
	for i, gate := range gates {
		t.Run(strings.Join(append([]string{"tilt up --"}, gate.arguments...), " "), func(t *testing.T) {
			outcome := outcomes()[i]
			if outcome.err != nil {
				t.Fatal(outcome.err)
			}
			test(t, outcome.told, outcome.chart)
		})
	}
}

func TestTheObjectsAreThoseOfTheChartAndItsNamespace(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, chart []map[string]any) {
		namespaces := 0
		var objects []map[string]any
		for _, object := range told.objects {
			if object["kind"] == "Namespace" && in(object, "metadata", "name") == "chatapp" {
				namespaces++
			} else {
				objects = append(objects, object)
			}
		}
		if namespaces != 1 {
			t.Errorf("the namespace is made %d times", namespaces)
		}
		if !reflect.DeepEqual(objects, chart) {
			t.Errorf("%d objects are not the %d that the chart has with these values", len(objects), len(chart))
		}
	})
}

func TestEveryWorkloadOfTheChartIsAResource(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, chart []map[string]any) {
		var named []string
		for _, resource := range told.resources {
			named = append(named, resource.name)
			if len(resource.labels) != 1 {
				t.Errorf("%s is in the groups %q, not in one", resource.name, resource.labels)
			}
		}
		slices.Sort(named)
		if want := slices.Sorted(maps.Keys(workloads(chart))); !slices.Equal(named, want) {
			t.Errorf("resources: %q\nthe chart: %q", named, want)
		}
	})
}

func TestEveryImageOfOursIsBuiltAndNoOther(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, chart []map[string]any) {
		var built []string
		for _, image := range told.images {
			built = append(built, image.reference)
		}
		slices.Sort(built)
		used := map[string]bool{}
		for _, workload := range workloads(chart) {
			for _, image := range workload.images {
				if reference := image[:strings.LastIndex(image, ":")]; strings.HasPrefix(reference, "chatapp/") {
					used[reference] = true
				}
			}
		}
		if want := slices.Sorted(maps.Keys(used)); !slices.Equal(built, want) {
			t.Errorf("built: %q\nused: %q", built, want)
		}
	})
}

func TestWhatAResourceWaitsForIsThere(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, _ []map[string]any) {
		waits := map[string][]string{}
		for _, command := range told.commands {
			waits[command.name] = nil
		}
		for _, resource := range told.resources {
			waits[resource.name] = resource.dependencies
		}
		// Whoever waits for nobody that waits is done; in the end all are, or some wait for each other.
		for len(waits) > 0 {
			before := len(waits)
			for name, others := range waits {
				if !slices.ContainsFunc(others, func(other string) bool { _, waiting := waits[other]; return waiting }) {
					delete(waits, name)
				}
			}
			if len(waits) == before {
				t.Fatalf("they wait for each other: %v", waits)
			}
		}
		known := func(name string) bool {
			return slices.ContainsFunc(told.commands, func(c command) bool { return c.name == name }) ||
				slices.ContainsFunc(told.resources, func(r resource) bool { return r.name == name })
		}
		for _, resource := range told.resources {
			for _, other := range resource.dependencies {
				if !known(other) {
					t.Errorf("%s waits for %s, which is not there", resource.name, other)
				}
			}
		}
	})
}

func TestForwardsLeadToPortsOfTheirWorkload(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, chart []map[string]any) {
		pods := workloads(chart)
		taken := map[string]string{}
		for _, resource := range told.resources {
			for _, forward := range resource.forwards {
				here, there, _ := strings.Cut(forward, ":")
				if other, twice := taken[here]; twice {
					t.Errorf("%s and %s both want port %s", other, resource.name, here)
				}
				taken[here] = resource.name
				port, err := strconv.Atoi(there)
				if err != nil || !slices.Contains(pods[resource.name].ports, port) {
					t.Errorf("%s has no port %s, but %v", resource.name, there, pods[resource.name].ports)
				}
			}
			for _, link := range resource.links {
				port, _, _ := strings.Cut(strings.TrimPrefix(link, "http://localhost:"), "/")
				if taken[port] != resource.name {
					t.Errorf("%s links to %s, which leads elsewhere", resource.name, link)
				}
			}
		}
		// The issuer's address, which is the same in a browser and in tokens.
		if taken["5556"] != "dex" || taken["8080"] != "chat-api" {
			t.Errorf("Dex and the chat are not where the development values say: %v", taken)
		}
	})
}

func TestWhatIsCompiledIsWhereTheImageTakesItFrom(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, _ []map[string]any) {
		for _, image := range told.images {
			name := path.Base(image.reference)
			if want := "target/images/" + name; image.context != want {
				t.Errorf("%s is built from %s, not from what images/stage lays, %s", name, image.context, want)
			}
			i := slices.IndexFunc(told.commands, func(c command) bool { return strings.Contains(c.shell, "images/stage "+name) })
			if i < 0 {
				t.Errorf("nobody lays the context of %s", name)
			}
		}
		for _, command := range told.commands {
			for _, source := range command.sources {
				if _, err := os.Stat(filepath.Join(root, source)); err != nil {
					t.Errorf("%s watches what is not there: %v", command.name, err)
				}
			}
		}
	})
}

func TestALiveUpdateReplacesTheProgramThatRuns(t *testing.T) {
	eachGate(t, func(t *testing.T, told *recording, _ []map[string]any) {
		for _, image := range told.images {
			name := path.Base(image.reference)
			if name == "chart-tools" {
				continue // it runs in jobs, which are over
			}
			if len(image.steps) != 2 {
				t.Fatalf("%s has %d steps: a file to be synced and a signal to be sent", name, len(image.steps))
			}
			file, signal := image.steps[0], image.steps[1]
			if want := image.context + "/" + name; file.from != want {
				t.Errorf("%s: %s is synced, not the program %s", name, file.from, want)
			}
			for _, line := range []string{
				"COPY rerun /usr/local/rerun/" + name,
				fmt.Sprintf("COPY --chown=65532:65532 %s %s", name, file.to),
				"VOLUME " + path.Dir(file.to),
				"ENV PATH=/usr/local/rerun:$PATH",
			} {
				if !slices.Contains(strings.Split(image.containerfile, "\n"), line) {
					t.Errorf("%s: the image is built without %q", name, line)
				}
			}
			script, err := os.ReadFile(filepath.Join(root, "tilt/rerun"))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(script), "program="+path.Dir(file.to)+"/${0##*/}\n") {
				t.Errorf("%s: tilt/rerun does not run what is synced to %s", name, file.to)
			}
			if want := []string{"/busybox/busybox", "kill", "-HUP", "1"}; !slices.Equal(signal.command, want) {
				t.Errorf("%s: %q is run, not %q", name, signal.command, want)
			}
			if !strings.Contains(image.arguments["BASE"], ":debug") {
				t.Errorf("%s: %s has no busybox", name, image.arguments["BASE"])
			}
		}
	})
}

func TestALocalClusterIsAllowedAndNoOther(t *testing.T) {
	for _, context := range []string{"kind-kind", "kind-work", "k3d-dev", "minikube", "docker-desktop", "orbstack"} {
		if told, err := evaluate(context); err != nil || !slices.Equal(told.allowed, []string{context}) {
			t.Errorf("%s: %v, allowed are %q", context, err, told.allowed)
		}
	}
	for _, context := range []string{"production", "gke_chat_europe-west1_chat", "mykind-prod", ""} {
		if told, err := evaluate(context); err != nil || len(told.allowed) > 0 {
			t.Errorf("%s: %v, allowed are %q", context, err, told.allowed)
		}
	}
}

func TestRubbishAsSettingEndsIt(t *testing.T) {
	for argument, says := range map[string]string{
		"--local-accounts=maybe": "invalid argument",
		"--password-db=":         "invalid argument",
		"--localaccounts=false":  "unknown flag",
		"chat-api":               "unknown flag",
	} {
		if told, err := evaluate(kind, argument); err == nil || !strings.Contains(err.Error(), says) || len(told.objects) > 0 {
			t.Errorf("%s: %v, %d objects", argument, err, len(told.objects))
		}
	}
}

func TestWithoutAnyWayInTheChartSaysSo(t *testing.T) {
	_, err := evaluate(kind, "--local-accounts=false", "--password-db=false")
	if err == nil || !strings.Contains(err.Error(), "nobody could sign in") {
		t.Errorf("%v", err)
	}
}
