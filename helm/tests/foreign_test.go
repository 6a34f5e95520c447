package chart_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The definitions of these kinds are in no registry of packages. What is asserted was checked by hand against
// the documentation of CloudNativePG 1.30, Strimzi 1.0, MongoDB Controllers 1.6, cert-manager 1.19, Gateway
// API 1.4 and the Prometheus operator 0.86.

func TestTheClusterOfCloudNativePGHasOurRolesAndDatabases(t *testing.T) {
	objects := install(t, "production-operators")
	cluster := objects.must(t, "Cluster", "postgres")
	if got := field[string](t, cluster, "spec", "bootstrap", "initdb", "owner"); got != "accounts" {
		t.Errorf("owner %s", got)
	}
	if got := field[string](t, cluster, "spec", "bootstrap", "initdb", "secret", "name"); got != "postgres-accounts-owner" {
		t.Errorf("secret %s", got)
	}
	var roles []string
	for _, role := range field[[]any](t, cluster, "spec", "managed", "roles") {
		role := role.(map[string]any)
		if role["login"] != true || role["ensure"] != "present" {
			t.Errorf("%v", role)
		}
		roles = append(roles, role["name"].(string)+" "+role["passwordSecret"].(map[string]any)["name"].(string))
	}
	if !slices.Equal(roles, []string{"accounts_service postgres-accounts-service", "dex postgres-dex"}) {
		t.Errorf("%v", roles)
	}
	database := objects.must(t, "Database", "dex")
	if field[string](t, database, "spec", "owner") != "dex" || field[string](t, database, "spec", "cluster", "name") != "postgres" {
		t.Errorf("%v", database.Object["spec"])
	}
	for _, made := range specOf(t, objects, "prepare").Secrets {
		for _, value := range made.Values {
			if value.Key == "dsn" && value.Text != "postgres://${username}:${password}@postgres-rw:5432/accounts?sslmode=verify-full&sslrootcert=/etc/postgres-ca/ca.crt" {
				t.Errorf("%s", value.Text)
			}
		}
	}
}

func TestTheKafkaOfStrimziSpeaksTLSAndKnowsWhoCalls(t *testing.T) {
	objects := install(t, "production-operators")
	listener := field[[]any](t, objects.must(t, "Kafka", "kafka"), "spec", "kafka", "listeners")[0].(map[string]any)
	if listener["tls"] != true || listener["type"] != "internal" || listener["authentication"].(map[string]any)["type"] != "scram-sha-512" {
		t.Errorf("%v", listener)
	}
	pool := objects.must(t, "KafkaNodePool", "kafka")
	if pool.GetLabels()["strimzi.io/cluster"] != "kafka" {
		t.Errorf("%v", pool.GetLabels())
	}
	volume := field[[]any](t, pool, "spec", "storage", "volumes")[0].(map[string]any)
	if volume["deleteClaim"] != false || volume["kraftMetadata"] != "shared" {
		t.Errorf("%v", volume)
	}
	user := objects.must(t, "KafkaUser", "chat-api")
	if field[string](t, user, "spec", "authentication", "type") != "scram-sha-512" {
		t.Error("the user has no password")
	}
	chat := env(objects.pod(t, "Deployment", "chat-api").spec.Containers[0])
	want := map[string]string{"KAFKA_BROKERS": "kafka-kafka-bootstrap:9093", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
		"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USER": "chat-api", "KAFKA_CA_FILE": "/etc/kafka-ca/ca.crt"}
	for name, value := range want {
		if chat[name] != value {
			t.Errorf("%s=%s", name, chat[name])
		}
	}
}

// The topics are what `topics check` expects: the settings of its source.
func TestTheTopicsOfStrimziAreWhatTheProgramExpects(t *testing.T) {
	content, err := os.ReadFile("../../chat-api/src/kafka/topics.rs")
	if err != nil {
		t.Fatal(err)
	}
	source := strings.ReplaceAll(string(content), "_", "")
	raw, err := os.ReadFile("../../chat-api/src/kafka/raw.rs")
	if err != nil {
		t.Fatal(err)
	}
	constant := func(name string) string {
		found := regexp.MustCompile(`const ` + strings.ReplaceAll(name, "_", "") + `: [^=]*= "?(\d+)"?;`).FindStringSubmatch(source)
		if found == nil {
			t.Fatalf("topics.rs has no %s", name)
		}
		return found[1]
	}
	shift := regexp.MustCompile(`const MAX_BYTES: usize = (\d+) << 20;`).FindSubmatch(raw)
	if shift == nil {
		t.Fatal("raw.rs has no MAX_BYTES")
	}
	mebibytes, _ := strconv.Atoi(string(shift[1]))
	objects := install(t, "production-operators")
	for name, want := range map[string][2]string{
		"chat-messages":  {constant("MESSAGES_RETENTION_MS"), constant("MESSAGES_MAX_BYTES")},
		"chat-presence":  {constant("PRESENCE_RETENTION_MS"), constant("MESSAGES_MAX_BYTES")},
		"chat-ephemeral": {constant("EPHEMERAL_RETENTION_MS"), constant("MESSAGES_MAX_BYTES")},
		"chat-dlq":       {constant("DEAD_LETTERS_RETENTION_MS"), strconv.Itoa(mebibytes << 20)},
	} {
		topic := objects.must(t, "KafkaTopic", name)
		config := texts(field[map[string]any](t, topic, "spec", "config"))
		if got := number(config["retention.ms"]); got != want[0] {
			t.Errorf("%s: retention.ms %s, not %s", name, got, want[0])
		}
		if short := name == "chat-presence" || name == "chat-ephemeral"; short && number(config["segment.ms"]) != want[0] {
			t.Errorf("%s: segment.ms %s, not %s", name, number(config["segment.ms"]), want[0])
		}
		if got := number(config["max.message.bytes"]); got != want[1] {
			t.Errorf("%s: max.message.bytes %s, not %s", name, got, want[1])
		}
		for _, setting := range settings(string(content)) {
			if got := number(config[setting[1]]); got != setting[2] {
				t.Errorf("%s: %s %s, not %s", name, setting[1], got, setting[2])
			}
		}
	}
	markers := texts(field[map[string]any](t, objects.must(t, "KafkaTopic", "chat-markers"), "spec", "config"))
	if markers["cleanup.policy"] != "compact" || number(markers["max.message.bytes"]) != constant("MESSAGES_MAX_BYTES") {
		t.Errorf("chat-markers: %v", markers)
	}
	for _, setting := range settings(string(content)) {
		// What a topic that keeps every record has besides.
		if setting[1] == "cleanup.policy" || setting[1] == "retention.bytes" {
			continue
		}
		if got := number(markers[setting[1]]); got != setting[2] {
			t.Errorf("chat-markers: %s %s, not %s", setting[1], got, setting[2])
		}
	}
}

// settings finds the settings in a source that have fixed values. That of the one topic which is compacted comes
// last, and is not among them.
func settings(source string) [][]string {
	all := regexp.MustCompile(`\("([a-z.]+)", "([^"]+)"\)`).FindAllStringSubmatch(source, -1)
	kept := all[:0]
	for _, setting := range all {
		if setting[2] != "compact" {
			kept = append(kept, setting)
		}
	}
	return kept
}

// number undoes what YAML's numbers become on their way through JSON.
func number(text string) string {
	if value, err := strconv.ParseFloat(text, 64); err == nil {
		return strconv.FormatFloat(value, 'f', -1, 64)
	}
	return text
}

func TestTheReplicaSetOfMongoDBSpeaksTLSAndKnowsWhoCalls(t *testing.T) {
	objects := install(t, "production-operators")
	set := objects.must(t, "MongoDBCommunity", "mongodb")
	if field[string](t, set, "spec", "type") != "ReplicaSet" || !field[bool](t, set, "spec", "security", "tls", "enabled") {
		t.Errorf("%v", set.Object["spec"])
	}
	user := field[[]any](t, set, "spec", "users")[0].(map[string]any)
	if user["connectionStringSecretName"] != "mongodb-uri" || user["scramCredentialsSecretName"] == "" {
		t.Errorf("%v", user)
	}
	if user["additionalConnectionStringConfig"].(map[string]any)["tlsCAFile"] != "/etc/mongodb-ca/ca.crt" {
		t.Errorf("%v", user)
	}
	for _, variable := range objects.pod(t, "Deployment", "chat-api").spec.Containers[0].Env {
		if variable.Name == "MONGODB_URI" && variable.ValueFrom.SecretKeyRef.Key != "connectionString.standard" {
			t.Errorf("%v", variable.ValueFrom.SecretKeyRef)
		}
	}
}

// What an operator keeps data for stays when the release goes.
func TestWhatHasDataIsKeptWhenTheReleaseGoes(t *testing.T) {
	objects := install(t, "production-operators")
	for _, kind := range []string{"Cluster", "Database", "Kafka", "KafkaNodePool", "KafkaTopic", "MongoDBCommunity"} {
		for _, object := range objects.ofKind(kind) {
			if object.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
				t.Errorf("%s %s goes", kind, object.GetName())
			}
		}
	}
}

func TestCertManagerMakesWhatTheJobWouldMake(t *testing.T) {
	ours := map[string][]string{}
	for _, authority := range specOf(t, install(t, "production-operators", "certificates.mode=job"), "certificates").Authorities {
		for _, certificate := range authority.Certificates {
			ours[certificate.Secret] = certificate.Names
		}
	}
	objects := install(t, "production-operators")
	issuers := map[string]string{}
	for _, object := range objects.ofKind("Certificate") {
		if _, found := object.Object["spec"].(map[string]any)["isCA"]; found {
			continue
		}
		name := field[string](t, object, "spec", "secretName")
		var names []string
		for _, dns := range field[[]any](t, object, "spec", "dnsNames") {
			names = append(names, dns.(string))
		}
		if !slices.Equal(ours[name], names) {
			t.Errorf("%s: %v, not %v", name, names, ours[name])
		}
		delete(ours, name)
		issuers[name] = field[string](t, object, "spec", "issuerRef", "name")
		if !objects.has("Issuer", issuers[name]) {
			t.Errorf("%s: there is no Issuer %s", name, issuers[name])
		}
	}
	if len(ours) > 0 {
		t.Errorf("not made: %v", ours)
	}
	if issuers["dex-connector-tls"] != issuers["auth-connector-tls"] || issuers["dex-connector-tls"] == issuers["auth-connector-dex-tls"] {
		t.Errorf("%v", issuers)
	}
}

func TestTheRouteLeadsWhereTheIngressLeads(t *testing.T) {
	want := []string{"/dex dex:5556", "/accounts accounts:5559", "/v1 chat-api:8080"}
	route := install(t, "production-operators").must(t, "HTTPRoute", "chatapp")
	var got []string
	for _, rule := range field[[]any](t, route, "spec", "rules") {
		rule := rule.(map[string]any)
		path := rule["matches"].([]any)[0].(map[string]any)["path"].(map[string]any)
		backend := rule["backendRefs"].([]any)[0].(map[string]any)
		if path["type"] != "PathPrefix" {
			t.Errorf("%v", path)
		}
		got = append(got, path["value"].(string)+" "+backend["name"].(string)+":"+number(texts(backend)["port"]))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if paths := pathsOf(t, install(t, "production-external")); paths != "/dex /accounts /v1" {
		t.Errorf("%s", paths)
	}
}
