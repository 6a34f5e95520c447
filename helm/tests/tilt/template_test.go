package tilt_test

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

	"go.starlark.net/starlark"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// read reads the chart once. Helm says at each reading that it follows the link to ops/.
var read = sync.OnceValues(func() (*chart.Chart, error) {
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	return loader.LoadDir(filepath.Join(root, "helm/chatapp"))
})

// template is `helm template` without the tests, which Tilt leaves out. Paths are the Tiltfile's.
func template(path, name, namespace string, files, sets []string) (string, error) {
	if path != "helm/chatapp" {
		return "", fmt.Errorf("%s is not the chart", path)
	}
	loaded, err := read()
	if err != nil {
		return "", err
	}
	values := map[string]any{}
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return "", err
		}
		var more map[string]any
		if err := yaml.Unmarshal(content, &more); err != nil {
			return "", err
		}
		values = loader.MergeMaps(values, more)
	}
	for _, set := range sets {
		if err := strvals.ParseInto(set, values); err != nil {
			return "", fmt.Errorf("--set %s: %w", set, err)
		}
	}
	options := common.ReleaseOptions{Name: name, Namespace: namespace, IsInstall: true, Revision: 1}
	final, err := util.ToRenderValues(loaded, values, options, common.DefaultCapabilities.Copy())
	if err != nil {
		return "", err
	}
	rendered, err := engine.Render(loaded, final)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, file := range slices.Sorted(maps.Keys(rendered)) {
		if strings.HasSuffix(file, ".yaml") && !strings.Contains(file, "/tests/") {
			text.WriteString("\n---\n" + rendered[file])
		}
	}
	return text.String(), nil
}

func parseObjects(text string) ([]map[string]any, error) {
	var objects []map[string]any
	for document := range strings.SplitSeq(text, "\n---") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return nil, fmt.Errorf("%w in %s", err, document)
		}
		if len(object) > 0 {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// in looks into an object; nil where there is nothing.
func in(object any, path ...string) any {
	for _, key := range path {
		fields, _ := object.(map[string]any)
		object = fields[key]
	}
	return object
}

// podSpec gives the pod of a workload, nil of any other object.
func podSpec(object map[string]any) any {
	switch object["kind"] {
	case "Pod":
		return in(object, "spec")
	case "CronJob":
		return in(object, "spec", "jobTemplate", "spec", "template", "spec")
	case "Deployment", "StatefulSet", "DaemonSet", "Job":
		return in(object, "spec", "template", "spec")
	}
	return nil
}

// workload is what Tilt makes a resource of.
type workload struct {
	images []string
	ports  []int
}

func workloads(objects []map[string]any) map[string]workload {
	found := map[string]workload{}
	for _, object := range objects {
		spec := podSpec(object)
		if spec == nil {
			continue
		}
		var made workload
		for _, kind := range []string{"initContainers", "containers"} {
			containers, _ := in(spec, kind).([]any)
			for _, container := range containers {
				made.images = append(made.images, fmt.Sprint(in(container, "image")))
				ports, _ := in(container, "ports").([]any)
				for _, port := range ports {
					number, _ := in(port, "containerPort").(float64)
					made.ports = append(made.ports, int(number))
				}
			}
		}
		found[fmt.Sprint(in(object, "metadata", "name"))] = made
	}
	return found
}

func text(value starlark.Value) string {
	if text, isText := starlark.AsString(value); isText {
		return text
	}
	return value.String()
}

// texts takes a text or a list of texts.
func texts(value starlark.Value) ([]string, error) {
	switch value := value.(type) {
	case nil:
		return nil, nil
	case starlark.String:
		return []string{string(value)}, nil
	case *starlark.List:
		var found []string
		for element := range value.Elements() {
			text, isText := starlark.AsString(element)
			if !isText {
				return nil, fmt.Errorf("%s is a %s and no text", element, element.Type())
			}
			found = append(found, text)
		}
		return found, nil
	}
	return nil, fmt.Errorf("%s is no list of texts", value)
}

// lists takes several of them.
func lists(values ...starlark.Value) ([][]string, error) {
	found := make([][]string, len(values))
	for i, value := range values {
		var err error
		if found[i], err = texts(value); err != nil {
			return found, err
		}
	}
	return found, nil
}
