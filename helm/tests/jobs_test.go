package chart_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestEveryJobEndsAndSaysWhy(t *testing.T) {
	for _, render := range []func(*testing.T, string, ...string) objects{install, upgrade} {
		for environment := range environments {
			objects := render(t, environment)
			for _, job := range objects.ofKind("Job") {
				deadline := field[int64](t, job, "spec", "activeDeadlineSeconds")
				if field[int64](t, job, "spec", "backoffLimit") > 4 || deadline > 600 {
					t.Errorf("%s, %s: %d s", environment, job.GetName(), deadline)
				}
				pod := objects.pod(t, "Job", job.GetName())
				if pod.spec.RestartPolicy != "Never" {
					t.Errorf("%s, %s: the log goes with the container", environment, job.GetName())
				}
				// The wait ends by itself, with a sentence, before the job is ended without one.
				for _, container := range pod.spec.InitContainers {
					last := container.Command[len(container.Command)-1]
					limit, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(last, "--for="), "s"), 10, 64)
					if err != nil || limit >= deadline {
						t.Errorf("%s, %s: waits %s of %d s", environment, job.GetName(), last, deadline)
					}
				}
			}
		}
	}
}

func TestWhatCannotBeUsedIsNotTriedAgain(t *testing.T) {
	objects := upgrade(t, "development")
	for _, name := range []string{"migrate", "topics", "seed-users"} {
		var codes []string
		for _, rule := range field[[]any](t, objects.must(t, "Job", name), "spec", "podFailurePolicy", "rules") {
			if exit, found := rule.(map[string]any)["onExitCodes"].(map[string]any); found {
				container := exit["containerName"].(string)
				if !slices.ContainsFunc(objects.pod(t, "Job", name).containers(), func(c corev1.Container) bool { return c.Name == container }) {
					t.Errorf("%s has no container %s", name, container)
				}
				codes = append(codes, container)
			}
		}
		if !slices.Equal(codes, []string{name, "wait"}) {
			t.Errorf("%s: %v", name, codes)
		}
	}
}

// At an installation the databases come with the release, so nothing that needs them may be a hook before it.
func TestAnInstallationWaitsForNothingThatComesWithIt(t *testing.T) {
	for environment := range environments {
		for _, object := range install(t, environment) {
			hook := object.GetAnnotations()["helm.sh/hook"]
			if strings.Contains(hook, "pre-install") && object.GetLabels()["app.kubernetes.io/name"] != "prepare" {
				t.Errorf("%s: %s %s is made before the rest", environment, object.GetKind(), object.GetName())
			}
		}
		objects := install(t, environment)
		for _, name := range []string{"migrate-install", "topics-install"} {
			job := objects.must(t, "Job", name)
			if len(job.GetAnnotations()) > 0 {
				t.Errorf("%s: %s is a hook", environment, name)
			}
		}
	}
}

func TestAnUpgradeMigratesBeforeItReplacesReplicas(t *testing.T) {
	for environment := range environments {
		objects := upgrade(t, environment)
		for _, name := range []string{"prepare", "migrate", "topics"} {
			job := objects.must(t, "Job", name)
			notes := job.GetAnnotations()
			if !strings.Contains(notes["helm.sh/hook"], "pre-upgrade") || !strings.Contains(notes["helm.sh/hook-delete-policy"], "before-hook-creation") {
				t.Errorf("%s: %s: %v", environment, name, notes)
			}
		}
		if objects.has("Job", "migrate-install") {
			t.Errorf("%s: the job of the installation is there again", environment)
		}
	}
}

// migrate owns the tables; whatever serves or seeds can do less.
func TestOnlyMigrateIsTheTablesOwner(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		for _, pod := range objects.pods(t) {
			for _, container := range pod.containers() {
				for _, variable := range container.Env {
					owner := variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil &&
						variable.ValueFrom.SecretKeyRef.Name == "postgres-accounts-owner"
					if owner && !slices.Contains([]string{"migrate", "postgres"}, pod.component()) {
						t.Errorf("%s has the owner's password", pod)
					}
				}
			}
		}
	})
}

func TestPeopleInValuesAreSeededAsPlainOnesAndThoseOfASecretAreNot(t *testing.T) {
	plain := install(t, "development").pod(t, "Job", "seed-users").spec.Containers[0].Command
	hashed := install(t, "production-external", "seed.enabled=true", "seed.secret=people").pod(t, "Job", "seed-users").spec.Containers[0].Command
	if !slices.Contains(plain, "--allow-plain-passwords") || slices.Contains(hashed, "--allow-plain-passwords") {
		t.Errorf("values: %v, a Secret: %v", plain, hashed)
	}
}
