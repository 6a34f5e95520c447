// Tests of the chart: what it renders from each file of values, what it refuses, and what its objects
// promise. The chart is rendered by Helm's own library, and a real API server takes its objects; the suite `cluster` has
// the rest.
package chart_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/strvals"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

const (
	namespace = "chatapp"
	release   = "chatapp"
)

// environments are the files of values that are shipped, each as it is meant to be used.
var environments = map[string][]string{
	"development":          {"development.yaml"},
	"production-operators": {"production-operators.yaml"},
	"production-external":  {"production-external.yaml"},
	"dex-official":         {"dex-official.yaml"},
}

// eachEnvironment runs a test for each of them, at an installation.
func eachEnvironment(t *testing.T, test func(t *testing.T, objects objects)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(environments)) {
		t.Run(name, func(t *testing.T) { test(t, install(t, name)) })
	}
}

// objects is everything that one rendering yields.
type objects []unstructured.Unstructured

// install renders an environment as `helm install` does, with `--set` items on top.
func install(t *testing.T, environment string, sets ...string) objects {
	t.Helper()
	return mustRender(t, common.ReleaseOptions{IsInstall: true, Revision: 1}, environment, sets...)
}

// upgrade renders an environment as `helm upgrade` does.
func upgrade(t *testing.T, environment string, sets ...string) objects {
	t.Helper()
	return mustRender(t, common.ReleaseOptions{IsUpgrade: true, Revision: 2}, environment, sets...)
}

// refused renders and gives the one sentence by which the chart refuses.
func refused(t *testing.T, environment string, sets ...string) string {
	t.Helper()
	_, err := render(common.ReleaseOptions{IsInstall: true, Revision: 1}, environment, sets...)
	if err == nil {
		t.Fatalf("%v is rendered", sets)
	}
	return err.Error()
}

// rendered keeps what was rendered before: most tests look at the same.
var rendered = map[string]objects{}

func mustRender(t *testing.T, options common.ReleaseOptions, environment string, sets ...string) objects {
	t.Helper()
	key := fmt.Sprint(options, environment, sets)
	if known, found := rendered[key]; found {
		return known
	}
	rendered[key] = parse(t, options, environment, sets...)
	return rendered[key]
}

func parse(t *testing.T, options common.ReleaseOptions, environment string, sets ...string) objects {
	t.Helper()
	files, err := render(options, environment, sets...)
	if err != nil {
		t.Fatal(err)
	}
	var found objects
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(name, ".yaml") {
			continue
		}
		for document := range strings.SplitSeq(files[name], "\n---") {
			text, err := yaml.YAMLToJSONStrict([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, document)
			}
			if string(text) == "null" {
				continue
			}
			var object unstructured.Unstructured
			if err := object.UnmarshalJSON(text); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, document)
			}
			found = append(found, object)
		}
	}
	return found
}

// theChart is read once. Helm says at each reading that it follows the link to ops/.
var theChart = sync.OnceValues(func() (*chart.Chart, error) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	return loader.LoadDir("../chatapp")
})

// render gives the text of each template by its path, for an environment or, with an empty name, from the
// chart's own values alone.
func render(options common.ReleaseOptions, environment string, sets ...string) (map[string]string, error) {
	loaded, err := theChart()
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, file := range environments[environment] {
		content, err := os.ReadFile(filepath.Join("../values", file))
		if err != nil {
			return nil, err
		}
		var more map[string]any
		if err := yaml.Unmarshal(content, &more); err != nil {
			return nil, err
		}
		values = loader.MergeMaps(values, more)
	}
	for _, set := range sets {
		if err := strvals.ParseInto(set, values); err != nil {
			return nil, fmt.Errorf("--set %s: %w", set, err)
		}
	}
	options.Name, options.Namespace = release, namespace
	capabilities := common.DefaultCapabilities.Copy()
	final, err := util.ToRenderValues(loaded, values, options, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, final)
}

// ofKind gives the objects of a kind.
func (o objects) ofKind(kind string) objects {
	return slices.DeleteFunc(slices.Clone(o), func(object unstructured.Unstructured) bool { return object.GetKind() != kind })
}

// find gives one object.
func (o objects) find(kind, name string) (unstructured.Unstructured, bool) {
	for _, object := range o.ofKind(kind) {
		if object.GetName() == name {
			return object, true
		}
	}
	return unstructured.Unstructured{}, false
}

func (o objects) has(kind, name string) bool {
	_, found := o.find(kind, name)
	return found
}

// must gives one object that has to be there.
func (o objects) must(t *testing.T, kind, name string) unstructured.Unstructured {
	t.Helper()
	found, ok := o.find(kind, name)
	if !ok {
		t.Fatalf("there is no %s %s", kind, name)
	}
	return found
}

// field gives what is at a path, or fails.
func field[T any](t *testing.T, object unstructured.Unstructured, path ...string) T {
	t.Helper()
	value, found, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s %s has no %s (%v)", object.GetKind(), object.GetName(), strings.Join(path, "."), err)
	}
	typed, ok := value.(T)
	if !ok {
		t.Fatalf("%s %s: %s is a %T", object.GetKind(), object.GetName(), strings.Join(path, "."), value)
	}
	return typed
}

// pod is the template of a workload.
type pod struct {
	kind, name string
	labels     map[string]string
	notes      map[string]string
	spec       corev1.PodSpec
}

func (p pod) String() string { return p.kind + " " + p.name }

// component is the label by which policies and Services know it.
func (p pod) component() string { return p.labels["app.kubernetes.io/name"] }

func (p pod) containers() []corev1.Container {
	return slices.Concat(p.spec.InitContainers, p.spec.Containers)
}

// serves says whether it is one of the three services of this project.
func (p pod) serves() bool {
	return p.kind == "Deployment" && slices.Contains([]string{"auth-connector", "chat-api", "dex"}, p.name)
}

// pods gives the template of every workload.
func (o objects) pods(t *testing.T) []pod {
	t.Helper()
	templates := map[string][]string{
		"Deployment": {"spec", "template"}, "StatefulSet": {"spec", "template"}, "Job": {"spec", "template"},
		"CronJob": {"spec", "jobTemplate", "spec", "template"}, "Pod": {},
	}
	var found []pod
	for _, object := range o {
		path, ok := templates[object.GetKind()]
		if !ok {
			continue
		}
		content := object.Object
		if len(path) > 0 {
			content = field[map[string]any](t, object, path...)
		}
		var template corev1.PodTemplateSpec
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, &template); err != nil {
			t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		found = append(found, pod{object.GetKind(), object.GetName(), template.Labels, template.Annotations, template.Spec})
	}
	return found
}

func (o objects) pod(t *testing.T, kind, name string) pod {
	t.Helper()
	for _, pod := range o.pods(t) {
		if pod.kind == kind && pod.name == name {
			return pod
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return pod{}
}

// env gives the plain variables of a container.
func env(container corev1.Container) map[string]string {
	found := map[string]string{}
	for _, variable := range container.Env {
		if variable.ValueFrom == nil {
			found[variable.Name] = variable.Value
		}
	}
	return found
}
