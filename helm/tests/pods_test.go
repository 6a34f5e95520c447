package chart_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func TestEveryPodIsAdmittedAtLevelRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, &pod.spec))
			if !result.Allowed {
				t.Errorf("%s: %s", pod, result.ForbiddenDetail())
			}
		}
	})
}

func TestEveryContainerHasAReadOnlyRootAndSaysWhatItNeeds(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			if pod.spec.EnableServiceLinks == nil || *pod.spec.EnableServiceLinks {
				t.Errorf("%s gets variables of Services, which programs may take for options", pod)
			}
			for _, container := range pod.containers() {
				security := container.SecurityContext
				if security.ReadOnlyRootFilesystem == nil || !*security.ReadOnlyRootFilesystem {
					t.Errorf("%s, %s: its root can be written", pod, container.Name)
				}
				requests := container.Resources.Requests
				if requests.Cpu().IsZero() || requests.Memory().IsZero() || container.Resources.Limits.Memory().IsZero() {
					t.Errorf("%s, %s: requests or the limit of memory are missing", pod, container.Name)
				}
				if !container.Resources.Limits.Cpu().IsZero() {
					t.Errorf("%s, %s: a limit of processor slows it down while there is some left", pod, container.Name)
				}
			}
		}
	})
}

func TestOnlyWhoWritesSecretsHasATokenOfTheAPIServer(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			mounts := pod.spec.AutomountServiceAccountToken
			if mounts == nil {
				t.Errorf("%s does not say", pod)
			} else if *mounts != (pod.component() == "prepare") {
				t.Errorf("%s: %v", pod, *mounts)
			}
		}
	})
}

func TestProbesAskTheAdminPortAndLifeIsNotReadiness(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			if !pod.serves() {
				continue
			}
			container := pod.spec.Containers[0]
			live, ready := container.LivenessProbe.HTTPGet, container.ReadinessProbe.HTTPGet
			if live.Path == ready.Path || !strings.HasSuffix(live.Path, "/live") || !strings.HasSuffix(ready.Path, "/ready") {
				t.Errorf("%s: %s and %s", pod, live.Path, ready.Path)
			}
			want := map[string]int32{"auth-connector": 9101, "chat-api": 9102, "dex": 5558}[pod.name]
			for _, port := range container.Ports {
				if port.Name == live.Port.StrVal && port.ContainerPort != want || live.Port != ready.Port {
					t.Errorf("%s asks port %d", pod, port.ContainerPort)
				}
			}
		}
	})
}

// A replica is only told to go when its successor is ready, and whoever sends it work knows it by then.
func TestARolloutTakesNoReplicaAwayBeforeAnotherIsReady(t *testing.T) {
	objects := install(t, "production-external")
	for _, name := range []string{"auth-connector", "chat-api", "dex"} {
		deployment := objects.must(t, "Deployment", name)
		if got := field[int64](t, deployment, "spec", "strategy", "rollingUpdate", "maxUnavailable"); got != 0 {
			t.Errorf("%s: maxUnavailable %d", name, got)
		}
		if got := field[int64](t, deployment, "spec", "strategy", "rollingUpdate", "maxSurge"); got != 1 {
			t.Errorf("%s: maxSurge %d", name, got)
		}
		if len(field[[]any](t, deployment, "spec", "template", "spec", "topologySpreadConstraints")) != 2 {
			t.Errorf("%s is not spread over nodes and zones", name)
		}
		if got := field[int64](t, objects.must(t, "PodDisruptionBudget", name), "spec", "maxUnavailable"); got != 1 {
			t.Errorf("%s: an eviction may take %d", name, got)
		}
	}
}

func TestGuestsOfTheChatAreCountedBehindTheProxyThatBringsThem(t *testing.T) {
	settings := func(values ...string) map[string]string {
		return env(install(t, "production-external", values...).pod(t, "Deployment", "chat-api").spec.Containers[0])
	}
	for name := range settings() {
		if name == "CHAT_GUESTS" || strings.HasPrefix(name, "TRUSTED_PROXY") {
			t.Errorf("guests are let in without having been asked: %s", name)
		}
	}
	set := settings("chatApi.guests=true", "proxy.cidr=10.1.0.0/16", "proxy.header=X-Client")
	for name, want := range map[string]string{
		"CHAT_GUESTS": "on", "TRUSTED_PROXY_CIDRS": "10.1.0.0/16", "TRUSTED_PROXY_HEADER": "X-Client",
	} {
		if set[name] != want {
			t.Errorf("%s is %q", name, set[name])
		}
	}
}

// The figures are those of the programs: docs/ARCHITECTURE.md#how-a-service-stops.
func TestAPodHasTheTimeThatItsProgramTakesToStop(t *testing.T) {
	const own = 15 + 2 // what chat-api has beside its drain, and its last spans
	for pauses, want := range map[[2]string]int64{{"5", "5"}: 10 + own, {"20", "60"}: 80 + own} {
		objects := install(t, "production-external",
			"chatApi.drain.pauseSeconds="+pauses[0], "chatApi.drain.overSeconds="+pauses[1])
		chat := objects.pod(t, "Deployment", "chat-api")
		if got := *chat.spec.TerminationGracePeriodSeconds; got < want || got > want+10 {
			t.Errorf("chat-api with %v: %d s", pauses, got)
		}
		set := env(chat.spec.Containers[0])
		if set["CHAT_DRAIN_PAUSE"] != pauses[0] || set["CHAT_DRAIN_OVER"] != pauses[1] {
			t.Errorf("chat-api with %v: %v", pauses, set)
		}
	}
	objects := install(t, "production-external")
	for name, program := range map[string]int64{"auth-connector": 10 + 2, "dex": 8} {
		spec := objects.pod(t, "Deployment", name).spec
		pause := spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds
		if got := *spec.TerminationGracePeriodSeconds; got < pause+program {
			t.Errorf("%s: %d s for a pause of %d s and a stop of %d s", name, got, pause, program)
		}
	}
	// gRPC's resolver asks the DNS at most every 30 s, and the DNS may keep an answer for 5 s.
	pause := objects.pod(t, "Deployment", "auth-connector").spec.Containers[0].Lifecycle.PreStop.Sleep.Seconds
	if pause < 35 {
		t.Errorf("auth-connector is gone %d s after its successor came, which Dex may not know by then", pause)
	}
}

func TestAChangedConfigurationReplacesTheReplicasOfDex(t *testing.T) {
	const note = "checksum/config"
	before := install(t, "production-external").pod(t, "Deployment", "dex").notes[note]
	same := upgrade(t, "production-external", "chatApi.replicas=3").pod(t, "Deployment", "dex").notes[note]
	after := upgrade(t, "production-external", "dex.title=Talk").pod(t, "Deployment", "dex").notes[note]
	if before == "" || before != same || before == after {
		t.Errorf("%q, with the same configuration %q, with another %q", before, same, after)
	}
}

func TestAPodStaysWhenOnlyTheVersionOfTheChartChanges(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			if _, found := pod.labels["helm.sh/chart"]; found && pod.kind != "Pod" {
				t.Errorf("%s", pod)
			}
		}
	})
}

func TestImagesComeFromOneRegistryAndTag(t *testing.T) {
	objects := install(t, "development", "images.registry=registry.example", "images.tag=v7", "images.dex.tag=v8",
		"images.tools.digest=sha256:abc")
	want := map[string]string{
		"auth-connector": "registry.example/chatapp/auth-connector:v7",
		"chat-api":       "registry.example/chatapp/chat-api:v7",
		"dex":            "registry.example/chatapp/dex:v8",
		"wait":           "registry.example/chatapp/chart-tools@sha256:abc",
		"migrate":        "registry.example/chatapp/auth-connector:v7",
		"topics":         "registry.example/chatapp/chat-api:v7",
		"postgres":       "docker.io/library/postgres:17.6",
	}
	for _, pod := range objects.pods(t) {
		for _, container := range pod.containers() {
			if image, known := want[container.Name]; known && container.Image != image {
				t.Errorf("%s, %s: %s", pod, container.Name, container.Image)
			}
		}
	}
}

func TestEveryFileThatAVariableNamesIsMounted(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			for _, container := range pod.containers() {
				for name, value := range env(container) {
					if strings.HasSuffix(name, "_FILE") && !mounted(container, value) {
						t.Errorf("%s: %s=%s is in no volume", pod, name, value)
					}
				}
			}
		}
	})
}

func mounted(container corev1.Container, path string) bool {
	for _, mount := range container.VolumeMounts {
		if strings.HasPrefix(path, mount.MountPath+"/") {
			return true
		}
	}
	return false
}
