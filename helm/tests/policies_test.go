package chart_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// peer is somebody at one end of a connection.
type peer struct {
	name      string
	namespace string
	labels    map[string]string
	ports     []int32
}

// outsiders are pods that are not of the release.
var outsiders = []peer{
	{name: "ingress controller", namespace: "ingress-nginx"},
	{name: "gateway", namespace: "gateway"},
	{name: "prometheus", namespace: "monitoring"},
	{name: "pod beside", namespace: namespace, labels: map[string]string{"app": "else"}},
	{name: "pod elsewhere", namespace: "default"},
	{name: "official dex", namespace: namespace, ports: []int32{5556, 5557, 5558},
		labels: map[string]string{"app.kubernetes.io/name": "dex", "app.kubernetes.io/instance": "dex"}},
	{name: "postgres operator", namespace: namespace, labels: map[string]string{"cnpg.io/cluster": "postgres"}, ports: []int32{5432}},
	{name: "kafka operator", namespace: namespace, labels: map[string]string{"strimzi.io/cluster": "kafka"}, ports: []int32{9093}},
	{name: "mongodb operator", namespace: namespace, labels: map[string]string{"app": "mongodb-svc"}, ports: []int32{27017}},
}

// Servers outside of the cluster, by the addresses of values/production-external.yaml.
var servers = []peer{
	{name: "10.30.1.1", ports: []int32{5432}}, {name: "10.30.2.1", ports: []int32{9094}}, {name: "10.30.3.1", ports: []int32{27017}},
	{name: "10.30.4.1", ports: []int32{587}},
	{name: "192.0.2.1", ports: []int32{443, 587, 5432, 6443, 9094, 27017}},
}

// reach is the whole table of an environment: who may reach whom at which port. Names can be looked up by
// everybody.
var reach = map[string]string{
	"development": `
		auth-connector → dex:5556 dex:5560 maildev:1025 postgres:5432
		chat-api → dex:5556 kafka:9092 mongodb:27017
		dex → auth-connector:5557 postgres:5432
		migrate → postgres:5432
		prepare → 192.0.2.1:443 192.0.2.1:6443
		seed-users → postgres:5432
		test → chat-api:8080 dex:5556
		topics → kafka:9092
		gateway → auth-connector:5559 chat-api:8080 dex:5556
		ingress controller → auth-connector:5559 chat-api:8080 dex:5556
		official dex → auth-connector:5559 chat-api:8080 dex:5556
		pod beside → auth-connector:5559 chat-api:8080 dex:5556
		pod elsewhere → auth-connector:5559 chat-api:8080 dex:5556
		prometheus → auth-connector:5559 chat-api:8080 dex:5556
		kafka operator → auth-connector:5559 chat-api:8080 dex:5556
		mongodb operator → auth-connector:5559 chat-api:8080 dex:5556
		postgres operator → auth-connector:5559 chat-api:8080 dex:5556`,
	"production-external": `
		auth-connector → 10.30.1.1:5432 10.30.4.1:587 dex:5560
		chat-api → 10.30.2.1:9094 10.30.3.1:27017 dex:5556
		dex → 10.30.1.1:5432 auth-connector:5557
		migrate → 10.30.1.1:5432
		prepare → 192.0.2.1:443 192.0.2.1:6443
		test → chat-api:8080 dex:5556
		topics → 10.30.2.1:9094
		ingress controller → auth-connector:5559 chat-api:8080 dex:5556
		prometheus → auth-connector:9101 chat-api:9102 dex:5558`,
	"production-operators": `
		auth-connector → dex:5560 postgres operator:5432
		chat-api → dex:5556 kafka operator:9093 mongodb operator:27017
		dex → auth-connector:5557 postgres operator:5432
		migrate → postgres operator:5432
		prepare → 192.0.2.1:443 192.0.2.1:6443
		topics → kafka operator:9093
		gateway → auth-connector:5559 chat-api:8080 dex:5556
		prometheus → auth-connector:9101 chat-api:9102 dex:5558`,
	"dex-official": `
		auth-connector → 10.30.1.1:5432 official dex:5556 official dex:5557
		chat-api → 10.30.2.1:9094 10.30.3.1:27017 official dex:5556 official dex:5557
		migrate → 10.30.1.1:5432
		prepare → 192.0.2.1:443 192.0.2.1:6443
		topics → 10.30.2.1:9094
		official dex → auth-connector:5557
		ingress controller → auth-connector:5559 chat-api:8080
		prometheus → auth-connector:9101 chat-api:9102`,
}

func TestWhoMayReachWhom(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		environment := strings.TrimPrefix(t.Name(), "TestWhoMayReachWhom/")
		want := map[string]bool{}
		for line := range strings.SplitSeq(strings.TrimSpace(reach[environment]), "\n") {
			from, targets, _ := strings.Cut(strings.TrimSpace(line), " → ")
			for _, target := range targetsOf(targets) {
				want[from+" → "+target] = true
			}
		}
		got := connections(t, objects)
		for _, connection := range slices.Sorted(maps.Keys(got)) {
			if !want[connection] {
				t.Errorf("is allowed: %s", connection)
			}
		}
		for _, connection := range slices.Sorted(maps.Keys(want)) {
			if !got[connection] {
				t.Errorf("is denied: %s", connection)
			}
		}
	})
}

func TestNobodyReachesAnythingWithoutAnArrow(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		selector := field[map[string]any](t, objects.must(t, "NetworkPolicy", "default-deny"), "spec", "podSelector", "matchLabels")
		for _, pod := range objects.pods(t) {
			if !matches(texts(selector), pod.labels) {
				t.Errorf("%s is not denied anything", pod)
			}
		}
	})
}

// The job that opens the gate runs before the objects of its release.
func TestTheJobsOfTheGateMayReachTheirServersWhileItIsShut(t *testing.T) {
	shut := install(t, "development", "localAccounts.enabled=false")
	for _, name := range []string{"migrate", "seed-users"} {
		from := peer{name: name, namespace: namespace, labels: labelsOf(name)}
		to := peer{name: "postgres", namespace: namespace, labels: labelsOf("postgres")}
		if !allowed(policiesOf(t, shut), from, to, 5432) {
			t.Errorf("%s cannot reach PostgreSQL", name)
		}
	}
}

func labelsOf(component string) map[string]string {
	return map[string]string{"app.kubernetes.io/name": component, "app.kubernetes.io/instance": release}
}

func targetsOf(line string) []string {
	// Names may have blanks: a target ends with its port.
	var found []string
	var words []string
	for word := range strings.FieldsSeq(line) {
		words = append(words, word)
		if strings.Contains(word, ":") {
			found, words = append(found, strings.Join(words, " ")), nil
		}
	}
	return found
}

// connections tries every pair at every port.
func connections(t *testing.T, objects objects) map[string]bool {
	t.Helper()
	policies := policiesOf(t, objects)
	members := map[string]peer{}
	for _, pod := range objects.pods(t) {
		member := members[pod.component()]
		member.name, member.namespace, member.labels = pod.component(), namespace, pod.labels
		for _, container := range pod.spec.Containers {
			for _, port := range container.Ports {
				member.ports = append(member.ports, port.ContainerPort)
			}
		}
		members[pod.component()] = member
	}
	ours := slices.Collect(maps.Values(members))
	found := map[string]bool{}
	for _, from := range slices.Concat(ours, outsiders) {
		for _, to := range slices.Concat(ours, outsiders, servers) {
			outside := from.labels["app.kubernetes.io/instance"] != release && to.labels["app.kubernetes.io/instance"] != release
			if from.name == to.name || outside {
				continue
			}
			for _, port := range to.ports {
				if allowed(policies, from, to, port) {
					found[fmt.Sprintf("%s → %s:%d", from.name, to.name, port)] = true
				}
			}
		}
	}
	return found
}

func policiesOf(t *testing.T, objects objects) []networkingv1.NetworkPolicy {
	t.Helper()
	var policies []networkingv1.NetworkPolicy
	for _, object := range objects.ofKind("NetworkPolicy") {
		var policy networkingv1.NetworkPolicy
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &policy); err != nil {
			t.Fatal(err)
		}
		policies = append(policies, policy)
	}
	return policies
}

// allowed is what a network plugin decides: an end that a policy selects needs a rule for it, at both ends.
func allowed(policies []networkingv1.NetworkPolicy, from, to peer, port int32) bool {
	out, outRule := false, false
	in, inRule := false, false
	for _, policy := range policies {
		selected := func(peer peer) bool {
			return peer.namespace == namespace && matches(policy.Spec.PodSelector.MatchLabels, peer.labels)
		}
		if selected(from) {
			out = true
			for _, rule := range policy.Spec.Egress {
				outRule = outRule || portIn(rule.Ports, port) && peerIn(rule.To, to)
			}
		}
		if selected(to) {
			in = true
			for _, rule := range policy.Spec.Ingress {
				inRule = inRule || portIn(rule.Ports, port) && peerIn(rule.From, from)
			}
		}
	}
	return (!out || outRule) && (!in || inRule)
}

func portIn(ports []networkingv1.NetworkPolicyPort, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(allowed networkingv1.NetworkPolicyPort) bool {
		return allowed.Port.IntVal == port && *allowed.Protocol == "TCP"
	})
}

func peerIn(peers []networkingv1.NetworkPolicyPeer, other peer) bool {
	return len(peers) == 0 || slices.ContainsFunc(peers, func(allowed networkingv1.NetworkPolicyPeer) bool {
		if block := allowed.IPBlock; block != nil {
			// The blocks of the values end at a byte.
			return other.namespace == "" && strings.HasPrefix(other.name, strings.TrimSuffix(block.CIDR, "0/24"))
		}
		if other.namespace == "" {
			return false
		}
		if space := allowed.NamespaceSelector; space == nil && other.namespace != namespace ||
			space != nil && space.MatchLabels["kubernetes.io/metadata.name"] != other.namespace {
			return false
		}
		return allowed.PodSelector == nil || matches(allowed.PodSelector.MatchLabels, other.labels)
	})
}
