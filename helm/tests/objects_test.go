package chart_test

import (
	"fmt"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// foreign are kinds whose definitions are in no package registry; foreign_test.go has the fields that we set.
var foreign = []string{
	"postgresql.cnpg.io/v1 Cluster", "postgresql.cnpg.io/v1 Database",
	"kafka.strimzi.io/v1 Kafka", "kafka.strimzi.io/v1 KafkaNodePool", "kafka.strimzi.io/v1 KafkaTopic",
	"kafka.strimzi.io/v1 KafkaUser",
	"mongodbcommunity.mongodb.com/v1 MongoDBCommunity",
	"cert-manager.io/v1 Issuer", "cert-manager.io/v1 Certificate",
	"gateway.networking.k8s.io/v1 HTTPRoute",
	"monitoring.coreos.com/v1 ServiceMonitor", "monitoring.coreos.com/v1 PrometheusRule",
}

func TestTheAPIServersTypesKnowEveryFieldOfEveryObject(t *testing.T) {
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, object := range objects {
			kind := object.GetAPIVersion() + " " + object.GetKind()
			if slices.Contains(foreign, kind) {
				continue
			}
			text, err := yaml.Marshal(object.Object)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := strict.Decode(text, nil, nil); err != nil {
				t.Errorf("%s %s: %v", kind, object.GetName(), err)
			}
		}
	})
}

func TestNoTwoObjectsHaveOneName(t *testing.T) {
	for _, render := range []func(*testing.T, string, ...string) objects{install, upgrade} {
		for environment := range environments {
			seen := map[string]bool{}
			for _, object := range render(t, environment, "monitoring.enabled=true", "chatApi.autoscaling.enabled=true") {
				name := fmt.Sprintf("%s %s", object.GroupVersionKind(), object.GetName())
				if seen[name] {
					t.Errorf("%s: %s is there twice", environment, name)
				}
				seen[name] = true
			}
		}
	}
}

func TestEveryObjectSaysWhatItBelongsTo(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, object := range objects {
			labels := object.GetLabels()
			if labels["app.kubernetes.io/instance"] != release || labels["app.kubernetes.io/part-of"] != "chatapp" {
				t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), labels)
			}
			if object.GetNamespace() != "" {
				t.Errorf("%s %s names a namespace; --namespace does", object.GetKind(), object.GetName())
			}
		}
	})
}

func TestEverySelectorFindsPods(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		pods := objects.pods(t)
		selects := func(selector map[string]string) bool {
			for _, pod := range pods {
				if metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: selector}) != "" && matches(selector, pod.labels) {
					return true
				}
			}
			return false
		}
		for _, service := range objects.ofKind("Service") {
			if !selects(texts(field[map[string]any](t, service, "spec", "selector"))) {
				t.Errorf("Service %s finds no pod", service.GetName())
			}
		}
		for _, kind := range []string{"PodDisruptionBudget", "Deployment", "StatefulSet"} {
			for _, object := range objects.ofKind(kind) {
				if !selects(texts(field[map[string]any](t, object, "spec", "selector", "matchLabels"))) {
					t.Errorf("%s %s finds no pod", kind, object.GetName())
				}
			}
		}
	})
}

func TestEveryPortOfAServiceIsAPortOfItsPods(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, service := range objects.ofKind("Service") {
			selector := texts(field[map[string]any](t, service, "spec", "selector"))
			for _, port := range field[[]any](t, service, "spec", "ports") {
				target := port.(map[string]any)["targetPort"]
				found := false
				for _, pod := range objects.pods(t) {
					if !matches(selector, pod.labels) {
						continue
					}
					for _, container := range pod.spec.Containers {
						for _, port := range container.Ports {
							found = found || port.Name == target
						}
					}
				}
				if !found {
					t.Errorf("Service %s leads to %v, which nobody has", service.GetName(), target)
				}
			}
		}
	})
}

func matches(selector, labels map[string]string) bool {
	for key, value := range selector {
		if labels[key] != value {
			return false
		}
	}
	return true
}

func texts(values map[string]any) map[string]string {
	found := map[string]string{}
	for key, value := range values {
		found[key] = fmt.Sprint(value)
	}
	return found
}
