package chart_test

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// official is what the documents of an image say of it. Nobody here runs it.
type official struct {
	// The version that they are of, and the user that it runs as.
	version string
	user    int64
	// What it reads, and what of that it cannot do without.
	variables, required []string
	// What it writes.
	folders []string
}

var officials = map[string]official{
	// https://github.com/docker-library/docs/tree/master/postgres. From 18 on the data lies elsewhere.
	"postgres": {
		version: "17", user: 999,
		variables: []string{"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "POSTGRES_INITDB_WALDIR",
			"POSTGRES_HOST_AUTH_METHOD", "PGDATA"},
		required: []string{"POSTGRES_PASSWORD"},
		folders:  []string{"/var/lib/postgresql/data", "/var/run/postgresql", "/tmp"},
	},
	// https://github.com/docker-library/docs/tree/master/mongo
	"mongodb": {
		version: "8", user: 999,
		variables: []string{"MONGO_INITDB_ROOT_USERNAME", "MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_DATABASE", "HOME"},
		folders:   []string{"/data/db", "/data/configdb", "/tmp"},
	},
	// https://github.com/apache/kafka/tree/4.1/docker/examples. Whoever sets one property sets all that a server of
	// KRaft needs, because none of the image's own holds then.
	"kafka": {
		version: "4", user: 1000,
		variables: []string{"CLUSTER_ID", "KAFKA_HEAP_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_OPTS"},
		required: []string{"KAFKA_NODE_ID", "KAFKA_PROCESS_ROLES", "KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS",
			"KAFKA_CONTROLLER_LISTENER_NAMES", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "KAFKA_CONTROLLER_QUORUM_VOTERS"},
		folders: []string{"/opt/kafka/config", "/opt/kafka/logs", "/tmp"},
	},
}

// properties are settings of a Kafka server (https://kafka.apache.org/41/documentation.html#brokerconfigs), which the
// image reads as KAFKA_, dots as underscores, in capitals.
var properties = []string{"node.id", "process.roles", "listeners", "advertised.listeners", "controller.listener.names",
	"listener.security.protocol.map", "controller.quorum.voters", "log.dirs", "auto.create.topics.enable",
	"default.replication.factor", "group.initial.rebalance.delay.ms", "min.insync.replicas", "num.partitions",
	"offsets.topic.num.partitions", "offsets.topic.replication.factor", "transaction.state.log.min.isr",
	"transaction.state.log.replication.factor"}

func TestTheServersOfDevelopmentAreToldWhatTheirImagesDocument(t *testing.T) {
	objects := install(t, "development")
	scripts := field[string](t, objects.must(t, "ConfigMap", "postgres"), "data", "databases.sh")
	for name, image := range officials {
		pod := objects.pod(t, "StatefulSet", name)
		container := pod.spec.Containers[0]
		if _, tag, _ := strings.Cut(container.Image, ":"); tag != image.version && !strings.HasPrefix(tag, image.version+".") {
			t.Errorf("%s is %s, and what is known here is of %s", name, container.Image, image.version)
		}
		if user := pod.spec.SecurityContext.RunAsUser; user == nil || *user != image.user {
			t.Errorf("%s does not run as %d", name, image.user)
		}
		// Its own start reads the variables.
		if len(container.Command) > 0 || len(container.Args) > 0 && container.Args[0] != "mongod" {
			t.Errorf("%s is started by %v %v", name, container.Command, container.Args)
		}
		given := func(variable string) bool {
			return slices.ContainsFunc(container.Env, func(known corev1.EnvVar) bool { return known.Name == variable })
		}
		for _, variable := range image.required {
			if !given(variable) {
				t.Errorf("%s is not given %s", name, variable)
			}
		}
		for _, variable := range container.Env {
			property := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable.Name, "KAFKA_"), "_", "."))
			known := slices.Contains(image.variables, variable.Name) ||
				name == "kafka" && slices.Contains(properties, property) ||
				name == "postgres" && strings.Contains(scripts, "$"+variable.Name)
			if !known {
				t.Errorf("%s reads no %s", name, variable.Name)
			}
		}
		for _, folder := range image.folders {
			mounted := func(mount corev1.VolumeMount) bool { return mount.MountPath == folder && !mount.ReadOnly }
			if !slices.ContainsFunc(container.VolumeMounts, mounted) {
				t.Errorf("%s cannot write %s", name, folder)
			}
		}
	}
}
