package chart_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
)

// spec is what the job prepare is told: helm/tools/prepare.go.
type spec struct {
	Secrets []struct {
		Name, Type string
		Values     []struct{ Key, Text string }
	}
	Required []struct {
		Name string
		Keys []string
	}
	Authorities []struct {
		Secret       string
		Certificates []struct {
			Secret string
			Names  []string
		}
	}
}

func specOf(t *testing.T, objects objects, name string) spec {
	t.Helper()
	var read spec
	text := field[string](t, objects.must(t, "ConfigMap", name), "data", "spec.json")
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// keys gives the keys of each Secret that will be there when the job has ended.
func (s spec) keys() map[string][]string {
	known := map[string][]string{}
	for _, made := range s.Secrets {
		for _, value := range made.Values {
			known[made.Name] = append(known[made.Name], value.Key)
		}
	}
	for _, required := range s.Required {
		known[required.Name] = required.Keys
	}
	for _, authority := range s.Authorities {
		for _, certificate := range authority.Certificates {
			known[certificate.Secret] = []string{"tls.crt", "tls.key", "ca.crt"}
		}
	}
	return known
}

func TestRenderingTwiceMakesTheSame(t *testing.T) {
	for environment := range environments {
		for _, options := range []common.ReleaseOptions{{IsInstall: true}, {IsUpgrade: true}} {
			first, err := render(options, environment)
			if err != nil {
				t.Fatal(err)
			}
			second, _ := render(options, environment)
			for name := range first {
				if first[name] != second[name] {
					t.Errorf("%s: %s is another each time", environment, name)
				}
			}
		}
	}
}

// What exists is never written by Helm, so an upgrade cannot replace a password, and a removal cannot take
// one along.
func TestNoSecretOfTheReleaseHasAnythingThatWasMade(t *testing.T) {
	for environment := range environments {
		for _, secret := range upgrade(t, environment).ofKind("Secret") {
			if environment != "development" || secret.GetName() != "seed-users" {
				t.Errorf("%s: Secret %s is in the release", environment, secret.GetName())
			}
		}
	}
}

// A file of a Secret that a variable names is a key that the Secret will have.
func TestEveryFileThatAVariableNamesIsAKeyOfItsSecret(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		known := specOf(t, objects, "prepare").keys()
		for _, pod := range objects.pods(t) {
			secrets := map[string]string{}
			for _, volume := range pod.spec.Volumes {
				if volume.Secret != nil {
					secrets[volume.Name] = volume.Secret.SecretName
				}
			}
			for _, container := range pod.containers() {
				for _, mount := range container.VolumeMounts {
					secret := secrets[mount.Name]
					keys, found := known[secret]
					if !found {
						continue
					}
					for _, variable := range container.Env {
						key, inside := strings.CutPrefix(variable.Value, mount.MountPath+"/")
						if inside && !slices.Contains(keys, key) {
							t.Errorf("%s: %s is %s, which Secret %s does not have", pod, variable.Name, key, secret)
						}
					}
				}
			}
		}
	})
}

// Who reads a Secret finds it and its key: made by the job, demanded by it, or made by an operator.
func TestEverySecretThatAPodReadsIsSeenToByTheJob(t *testing.T) {
	byOperators := map[string]bool{"chat-api": true, "mongodb-uri": true, "kafka-cluster-ca-cert": true, "postgres-ca": true}
	certManager := map[string]bool{"auth-connector-tls": true, "dex-connector-tls": true, "dex-admin-tls": true,
		"auth-connector-dex-tls": true, "mongodb-tls": true}
	eachEnvironment(t, func(t *testing.T, objects objects) {
		known := specOf(t, objects, "prepare").keys()
		operators := strings.HasSuffix(t.Name(), "operators")
		elsewhere := func(name string) bool {
			return operators && (byOperators[name] || certManager[name]) || objects.has("Secret", name)
		}
		for _, pod := range objects.pods(t) {
			for _, container := range pod.containers() {
				for _, variable := range container.Env {
					if variable.ValueFrom == nil || variable.ValueFrom.SecretKeyRef == nil {
						continue
					}
					read := variable.ValueFrom.SecretKeyRef
					if !slices.Contains(known[read.Name], read.Key) && !elsewhere(read.Name) {
						t.Errorf("%s reads %s of Secret %s, which nobody sees to", pod, read.Key, read.Name)
					}
				}
			}
			for _, volume := range pod.spec.Volumes {
				if volume.Secret == nil {
					continue
				}
				if _, found := known[volume.Secret.SecretName]; !found && !elsewhere(volume.Secret.SecretName) {
					t.Errorf("%s mounts Secret %s, which nobody sees to", pod, volume.Secret.SecretName)
				}
			}
		}
	})
}

func TestTheJobMayReadAndWriteWhatItIsToldAndNoMore(t *testing.T) {
	eachEnvironment(t, func(t *testing.T, objects objects) {
		told := specOf(t, objects, "prepare")
		written := map[string]bool{}
		for _, authority := range told.Authorities {
			written[authority.Secret] = true
			for _, certificate := range authority.Certificates {
				written[certificate.Secret] = true
			}
		}
		read := maps.Clone(written)
		for name := range told.keys() {
			read[name] = true
		}
		for _, rule := range field[[]any](t, objects.must(t, "Role", "prepare"), "rules") {
			rule := rule.(map[string]any)
			names, _ := rule["resourceNames"].([]any)
			var want map[string]bool
			switch verb := rule["verbs"].([]any)[0]; verb {
			case "create":
				want = map[string]bool{}
			case "get":
				want = read
			case "update":
				want = written
			default:
				t.Errorf("it may %v", verb)
			}
			got := map[string]bool{}
			for _, name := range names {
				got[name.(string)] = true
			}
			if !maps.Equal(got, want) {
				t.Errorf("%v: %v, not %v", rule["verbs"], got, want)
			}
		}
	})
}

// CloudNativePG wants basic-auth, with the role as username.
func TestPasswordsOfRolesAreWhatTheOperatorTakes(t *testing.T) {
	objects := install(t, "production-operators")
	roles := map[string]string{"postgres-accounts-owner": "accounts", "postgres-accounts-service": "accounts_service", "postgres-dex": "dex"}
	for _, made := range specOf(t, objects, "prepare").Secrets {
		role, of := roles[made.Name]
		if !of {
			continue
		}
		if made.Type != "kubernetes.io/basic-auth" || made.Values[0].Key != "username" || made.Values[0].Text != role {
			t.Errorf("%+v", made)
		}
		delete(roles, made.Name)
	}
	if len(roles) > 0 {
		t.Errorf("not made: %v", roles)
	}
}

func TestCertificatesBearTheNamesByWhichTheyAreChecked(t *testing.T) {
	names := func(objects objects, secret string) []string {
		for _, authority := range specOf(t, objects, "certificates").Authorities {
			for _, certificate := range authority.Certificates {
				if certificate.Secret == secret {
					return certificate.Names
				}
			}
		}
		return nil
	}
	ours := install(t, "production-external")
	address := env(ours.pod(t, "Deployment", "auth-connector").spec.Containers[0])["DEX_API_ADDRESS"]
	if host, _, _ := strings.Cut(address, ":"); !slices.Contains(names(ours, "dex-admin-tls"), host) {
		t.Errorf("Dex's admin API is called %s", host)
	}
	official := install(t, "dex-official")
	if !slices.Equal(names(official, "dex-admin-tls"), []string{"dex"}) {
		t.Errorf("%v", names(official, "dex-admin-tls"))
	}
	config := dexConfig(t, ours)["connectors"].([]any)[0].(map[string]any)["config"].(map[string]any)
	if !slices.Contains(names(ours, "auth-connector-tls"), config["serverName"].(string)) {
		t.Errorf("auth-connector is called %v", config["serverName"])
	}
	// TLS_CLIENT_NAMES of auth-connector, by default.
	if !slices.Equal(names(ours, "dex-connector-tls"), []string{"dex"}) {
		t.Errorf("%v", names(ours, "dex-connector-tls"))
	}
}

// A release of before has no such Secret, and goes on without one as long as it mails nothing.
func TestOnlyWhoMailsNeedsTheKeyOfCodes(t *testing.T) {
	needs := func(sets ...string) bool {
		for _, required := range specOf(t, install(t, "production-external", sets...), "prepare").Required {
			if required.Name == "auth-connector-codes" {
				return slices.Equal(required.Keys, []string{"code-key"})
			}
		}
		return false
	}
	if !needs() || needs("mail.server=", "mail.user=") {
		t.Errorf("with mail: %v, without: %v", needs(), needs("mail.server=", "mail.user="))
	}
}
