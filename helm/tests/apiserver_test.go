package chart_test

import (
	"encoding/json"
	"os"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// A real API server, which `./dev test chart` starts, judges every object as if it were to be kept: it knows more of
// them than their types do, such as names, ranges, what excludes each other, and the levels of Pod Security.
func TestTheAPIServerTakesEveryObject(t *testing.T) {
	server := apiServer(t)
	dex := install(t, "development").must(t, "Deployment", "dex")
	unknown := dex.DeepCopy()
	if err := unstructured.SetNestedField(unknown.Object, int64(3), "spec", "replica"); err != nil {
		t.Fatal(err)
	}
	if err := server.judge(t, *unknown); err == nil {
		t.Fatal("it takes a field that nobody knows, so it would take everything")
	}
	for _, render := range []func(*testing.T, string, ...string) objects{install, upgrade} {
		for environment := range environments {
			for _, object := range render(t, environment) {
				if slices.Contains(foreign, object.GetAPIVersion()+" "+object.GetKind()) {
					continue
				}
				if err := server.judge(t, object); err != nil {
					t.Errorf("%s: %s %s: %v", environment, object.GetKind(), object.GetName(), err)
				}
			}
		}
	}
	for _, warning := range server.warnings {
		t.Errorf("it warns: %s", warning)
	}
}

// server is an API server and what it warned of.
type server struct {
	client   dynamic.Interface
	lock     sync.Mutex
	warnings []string
}

// apiServer gives one with the namespace of the chart, in which pods that break the strictest level are refused, and
// templates of such pods warned of.
func apiServer(t *testing.T) *server {
	t.Helper()
	const variable = "API_SERVER_KUBECONFIG"
	content, err := os.ReadFile(os.Getenv(variable))
	if err != nil {
		t.Fatalf("%s names no API server (%v): run ./dev test chart, which starts one", variable, err)
	}
	// The one that ./dev writes, in JSON.
	var config struct {
		Clusters []struct {
			Cluster struct {
				Server string
				CAFile string `json:"certificate-authority"`
			}
		}
		Users []struct{ User struct{ Token string } }
	}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	found := &server{}
	cluster := config.Clusters[0].Cluster
	found.client, err = dynamic.NewForConfig(&rest.Config{
		Host: cluster.Server, TLSClientConfig: rest.TLSClientConfig{CAFile: cluster.CAFile},
		BearerToken: config.Users[0].User.Token, WarningHandler: found,
		// No limit: nobody else is there.
		QPS: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	strict := map[string]any{
		"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
	}
	space := unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace, "labels": strict},
	}}
	spaces := found.client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces"))
	if _, err := spaces.Apply(t.Context(), namespace, &space, metav1.ApplyOptions{FieldManager: "test"}); err != nil {
		t.Fatal(err)
	}
	return found
}

// judge hands an object to the server, which keeps nothing of it.
func (s *server) judge(t *testing.T, object unstructured.Unstructured) error {
	t.Helper()
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	options := metav1.ApplyOptions{FieldManager: "test", DryRun: []string{metav1.DryRunAll}}
	_, err := s.client.Resource(resource).Namespace(namespace).Apply(t.Context(), object.GetName(), &object, options)
	return err
}

// HandleWarningHeader keeps what the server warns of.
func (s *server) HandleWarningHeader(_ int, _, text string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.warnings = append(s.warnings, text)
}
