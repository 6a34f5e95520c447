package chart_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Each contradiction is one sentence that begins with the value to change.
func TestWhatContradictsItselfIsRefusedWithASentence(t *testing.T) {
	const production, operators, development = "production-external", "production-operators", "development"
	for _, test := range []struct {
		environment string
		sets        []string
		begins      string
		says        string
	}{
		{"", nil, "publicURL", "https://chat.example"},
		{production, []string{"publicURL=chat.example"}, "publicURL", "scheme and host"},
		{production, []string{"publicURL=https://chat.example/app"}, "publicURL", "without a path"},
		{production, []string{"publicURL=http://chat.example"}, "publicURL", "plain text"},
		{production, []string{"dex.issuer=http://chat.example/dex"}, "dex.issuer", "plain text"},
		{production, []string{"dex.issuer=https://chat.example/dex/"}, "dex.issuer", "without a slash at its end"},
		{production, []string{"dex.enabled=false"}, "dex.issuer", "is empty"},
		{production, []string{"dex.enabled=false", "dex.issuer=https://id.example/dex"}, "dex.adminAddress", "is empty"},
		{production, []string{"dex.adminAddress=dex:5560"}, "dex.adminAddress", "leave it empty"},
		{production, []string{"localAccounts.enabled=false"}, "localAccounts.enabled", "nobody could sign in"},
		{development, []string{"localAccounts.enabled=false", "dex.enablePasswordDB=false"}, "localAccounts.enabled", "nobody could sign in"},
		{production, []string{"dex.connectors[0].id=local-postgres", "dex.connectors[0].type=ldap", "dex.connectors[0].name=x"},
			"dex.connectors", "take it out"},
		{production, []string{"dex.staticClients[0].id=chat-api", "dex.staticClients[0].name=x", "dex.staticClients[0].redirectURIs[0]=https://x.example/"},
			"dex.staticClients", "chat-api"},
		{production, []string{"dex.staticClients[0].id=wiki", "dex.staticClients[0].name=x", "dex.staticClients[0].redirectURIs[0]=https://x.example/",
			"dex.staticClients[0].secret=hush"}, "dex.staticClients", "secretEnv"},
		{production, []string{"dex.enablePasswordDB=true"}, "dex.enablePasswordDB", "no limit of attempts"},
		{development, []string{"dex.issuer=http://192.0.2.1:5556/dex"}, "dex.enablePasswordDB", "no limit of attempts"},
		{"dex-official", []string{"dex.enablePasswordDB=true"}, "dex.enablePasswordDB", "configuration of your Dex"},
		{production, []string{"proxy.cidr=0.0.0.0/0"}, "proxy.cidr", "is everybody"},
		{production, []string{"proxy.cidr="}, "proxy.cidr", "is empty"},
		{"dex-official", []string{"chatApi.guests=true", "proxy.cidr="}, "proxy.cidr", "all guests"},
		{production, []string{"chatApi.env.CHAT_GUESTS=on"}, "chatApi.env", "CHAT_GUESTS"},
		{operators, []string{"ingress.enabled=true"}, "httpRoute.enabled", "choose one"},
		{operators, []string{"httpRoute.parentRefs=null"}, "httpRoute.parentRefs", "is empty"},
		{production, []string{"networkPolicy.ingressFrom=null"}, "networkPolicy.ingressFrom", "is empty"},
		{"dex-official", []string{"networkPolicy.dexPeers=null"}, "networkPolicy.dexPeers", "is empty"},
		{production, []string{"postgres.mode=development"}, "postgres.mode", "operator or external"},
		{production, []string{"kafka.mode=development"}, "kafka.mode", "operator or external"},
		{production, []string{"mongodb.mode=development"}, "mongodb.mode", "operator or external"},
		{production, []string{"maildev.enabled=true"}, "maildev.enabled", "development only"},
		{production, []string{"mail.from="}, "mail.from", "is empty"},
		{production, []string{"mail.encryption=none"}, "mail.encryption", "all could read the password"},
		{production, []string{"mail.encryption=none", "mail.user="}, "mail.encryption", "plain text"},
		{development, []string{"maildev.enabled=false"}, "mail.server", "name your mail server"},
		{production, []string{"accounts.pages=true", "mail.server=", "mail.user="}, "mail.server", "mail a code"},
		{"dex-official", []string{"accounts.pages=true", "mail.server=smtp.example:587", "mail.from=a@b.example", "proxy.cidr="},
			"proxy.cidr", "one network"},
		{development, []string{"accounts.publicURL=https://chat.example/accounts"}, "proxy.cidr", "one network"},
		{development, []string{"accounts.publicURL=http://chat.example/accounts"}, "accounts.publicURL", "https:// alone"},
		{production, []string{"accounts.pages=true", "accounts.publicURL=http://localhost/accounts"}, "accounts.publicURL", "production"},
		{production, []string{"authConnector.env.ACCOUNTS_SIGN_UP=open"}, "authConnector.env", "ACCOUNTS_SIGN_UP"},
		{production, []string{"authConnector.env.ACCOUNTS_SEARCH_GROUPS=staff"}, "authConnector.env", "ACCOUNTS_SEARCH_GROUPS"},
		{production, []string{"authConnector.env.SMTP_USER=x"}, "authConnector.env", "SMTP_USER"},
		{production, []string{"postgres.host="}, "postgres.host", "is empty"},
		{production, []string{"postgres.sslMode=disable"}, "postgres.sslMode", "plain text"},
		{operators, []string{"postgres.serviceRole=accounts"}, "postgres.serviceRole", "owner of the tables"},
		{production, []string{"kafka.minInsyncReplicas=4"}, "kafka.minInsyncReplicas", "no message could be acknowledged"},
		{operators, []string{"kafka.operator.brokers=2"}, "kafka.replicationFactor", "kafka.operator.brokers"},
		{production, []string{"kafka.brokers=null"}, "kafka.brokers", "is empty"},
		{production, []string{"kafka.saslUser="}, "kafka.saslUser", "is empty"},
		{production, []string{"kafka.securityProtocol=PLAINTEXT"}, "kafka.securityProtocol", "plain text"},
		{production, []string{"kafka.securityProtocol=SASL_PLAINTEXT"}, "kafka.securityProtocol", "plain text"},
		{production, []string{"kafka.securityProtocol=PLAINTEXT", "kafka.caSecret=x", "kafka.allowPlaintext=true"},
			"kafka.securityProtocol", "would not be used"},
		{production, []string{"seed.enabled=true"}, "seed.secret", "is empty"},
		{development, []string{"seed.secret=people"}, "seed.users", "choose one"},
		{production, []string{"seed.enabled=true", "seed.users[0].username=a", "seed.users[0].password=b"}, "seed.users", "development only"},
		{production, []string{"certificates.renewBeforeDays=90"}, "certificates.renewBeforeDays", "due at once"},
		{operators, []string{"certificates.connectorIssuer.name=x", "certificates.dexAdminIssuer.name=x"},
			"certificates.dexAdminIssuer", "Dex's administrator"},
		{production, []string{"certificates.connectorIssuer.name=x"}, "certificates.mode", "cert-manager"},
		{production, []string{"authConnector.autoscaling.minReplicas=9"}, "authConnector.autoscaling.minReplicas", "maxReplicas"},
		{production, []string{"chatApi.autoscaling.customMetrics.enabled=true"}, "chatApi.autoscaling.customMetrics.enabled", "is off"},
		{production, []string{"chatApi.env.KAFKA_BROKERS=x"}, "chatApi.env", "KAFKA_BROKERS"},
		{production, []string{"authConnector.env.CONNECTOR_INSECURE=true"}, "authConnector.env", "CONNECTOR_INSECURE"},
	} {
		t.Run(strings.Join(test.sets, ","), func(t *testing.T) {
			said := refused(t, test.environment, test.sets...)
			if !strings.Contains(said, ": "+test.begins+": ") || !strings.Contains(said, test.says) {
				t.Errorf("%s", said)
			}
			if strings.Contains(said, "hush") {
				t.Error("the sentence has the secret in it")
			}
		})
	}
}

func TestAWordIsEnough(t *testing.T) {
	install(t, "production-external", "dex.enablePasswordDB=true", "dex.allowPasswordDBOnPublicHost=true")
	install(t, "production-external", "kafka.securityProtocol=PLAINTEXT", "kafka.allowPlaintext=true")
	install(t, "production-external", "mail.encryption=none", "mail.user=", "mail.allowPlaintext=true")
	install(t, "production-external", "localAccounts.enabled=false", "dex.connectors[0].id=ldap", "dex.connectors[0].type=ldap",
		"dex.connectors[0].name=LDAP")
}

func TestUnknownAndWrongValuesAreRefused(t *testing.T) {
	for set, names := range map[string]string{
		"localAcounts.enabled=false":      "'localAcounts'",
		"dex.enablePasswordDb=true":       "'enablePasswordDb'",
		"chatApi.drain.pause=5":           "'pause'",
		"images.dex.name=x":               "'name'",
		"chatApi.resources.request.cpu=1": "'request'",
		"environment=staging":             "'/environment'",
		"postgres.mode=bitnami":           "'/postgres/mode'",
		"certificates.mode=none":          "'/certificates/mode'",
		"authConnector.replicas=0":        "'/authConnector/replicas'",
		"chatApi.replicas=two":            "'/chatApi/replicas'",
		"kafka.brokers[0]=kafka":          "'/kafka/brokers/0'",
		"authConnector.bcryptCost=4":      "'/authConnector/bcryptCost'",
		"networkPolicy.kafkaPorts[0]=0":   "'/networkPolicy/kafkaPorts/0'",
		"proxy.cidr=10.0.0.0":             "'/proxy/cidr'",
		"chatApi.guests=some":             "'/chatApi/guests'",
		"mail.server=mail.example":        "'/mail/server'",
		"mail.encryption=tls":             "'/mail/encryption'",
		"accounts.signUp=friends":         "'/accounts/signUp'",
		"accounts.searchGroups={a\\,b}":   "'/accounts/searchGroups/0'",
		"accounts.publicURL=https://a/b":  "'/accounts/publicURL'",
	} {
		if said := refused(t, "production-external", set); !strings.Contains(said, names) {
			t.Errorf("%s: %s", set, said)
		}
	}
}

// A value without a place in the schema would be refused, and a place without a value is a word that does
// nothing.
func TestTheSchemaHasTheKeysOfTheValues(t *testing.T) {
	content, err := os.ReadFile("../chatapp/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.UnmarshalStrict(content, &values); err != nil {
		t.Fatal(err)
	}
	schema, err := os.ReadFile("../chatapp/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(schema, &root); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", values, root)
}

// open are dictionaries of yours: what is in them is not a value of the chart.
var open = []string{"env", "annotations", "podAnnotations", "labels", "dashboardLabels", "nodeSelector", "resources", "storage"}

func compareKeys(t *testing.T, path string, values, schema map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	for key, value := range values {
		inner, found := properties[key].(map[string]any)
		if !found {
			t.Errorf("the schema has no %s%s", path, key)
			continue
		}
		if nested, is := value.(map[string]any); is && !slices.Contains(open, key) {
			if inner["additionalProperties"] != false {
				t.Errorf("%s%s: unknown keys are not refused", path, key)
			}
			compareKeys(t, path+key+".", nested, inner)
		}
	}
	for key := range properties {
		// Helm itself brings `global`.
		if _, found := values[key]; !found && path+key != "global" {
			t.Errorf("values.yaml has no %s%s", path, key)
		}
	}
}
