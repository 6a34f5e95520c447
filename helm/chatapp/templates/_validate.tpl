{{/*
What the schema cannot say: values that contradict each other. Each is one sentence that says what to do. Called by every
template, because any of them may be the first; `fail` ends the rendering.
*/}}
{{- define "chatapp.validate" -}}
{{- $production := eq .Values.environment "production" -}}
{{- $local := .Values.localAccounts.enabled -}}
{{- $dex := .Values.dex -}}

{{/* Addresses. */}}
{{- if not (regexMatch "^https?://[^/?# ]+$" .Values.publicURL) -}}
{{- fail (printf "publicURL: is %q, and must be scheme and host of the app, such as https://chat.example, without a path" .Values.publicURL) -}}
{{- end -}}
{{- if and (not $dex.enabled) (not $dex.issuer) -}}
{{- fail "dex.issuer: is empty, and without dex.enabled only you know the issuer of your Dex, as its tokens name it" -}}
{{- end -}}
{{- $issuer := include "chatapp.issuer" . -}}
{{- if not (regexMatch "^https?://[^/?# ]+/[^?# ]*[^/?# ]$" $issuer) -}}
{{- fail (printf "dex.issuer: is %q, and must be scheme, host and a path such as /dex, without a slash at its end" $issuer) -}}
{{- end -}}
{{- if $production -}}
{{- range list (list "publicURL" .Values.publicURL) (list "dex.issuer" $issuer) -}}
{{- if hasPrefix "http://" (index . 1) -}}
{{- fail (printf "%s: is plain text (%s), which environment: production does not allow; end TLS before it and use https://" (index . 0) (index . 1)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The gate. */}}
{{- if and $dex.enabled (not $local) (not $dex.enablePasswordDB) (not $dex.connectors) -}}
{{- fail "localAccounts.enabled: is off, and neither dex.enablePasswordDB nor dex.connectors has another way in, so nobody could sign in" -}}
{{- end -}}
{{- if and $local (not $dex.enabled) (not $dex.adminAddress) -}}
{{- fail "dex.adminAddress: is empty, and auth-connector needs the admin API of your Dex (HOST:PORT) to end sessions" -}}
{{- end -}}
{{- if and $dex.enabled $dex.adminAddress -}}
{{- fail "dex.adminAddress: is for a Dex of yours; with dex.enabled the chart knows it, so leave it empty" -}}
{{- end -}}
{{- range $dex.connectors -}}
{{- if or (eq (.id | default "") "local-postgres") (eq (.type | default "") "grpc") -}}
{{- fail "dex.connectors: has the connector of Local Accounts, which localAccounts.enabled brings; take it out" -}}
{{- end -}}
{{- end -}}
{{- range $dex.staticClients -}}
{{- if or (has .id (list "chat-app-frontend" "chat-api")) -}}
{{- fail (printf "dex.staticClients: has %s, which the chart brings; take it out" .id) -}}
{{- end -}}
{{- if and (hasKey . "secret") $production -}}
{{- fail (printf "dex.staticClients: %s has its secret in the values; name a variable by secretEnv, and its Secret in dex.envFrom" .id) -}}
{{- end -}}
{{- end -}}
{{- if $dex.enablePasswordDB -}}
{{- if not $dex.enabled -}}
{{- fail "dex.enablePasswordDB: is for the Dex of this chart, and dex.enabled is off; set it in the configuration of your Dex" -}}
{{- end -}}
{{- if and (include "chatapp.passwordDBHostIsPublic" .) (not $dex.allowPasswordDBOnPublicHost) -}}
{{- fail (printf "dex.enablePasswordDB: its form has no limit of attempts and %s may be public; keep it off, or say dex.allowPasswordDBOnPublicHost if nobody else reaches that host" $issuer) -}}
{{- end -}}
{{- end -}}

{{/* Who stands before Dex. */}}
{{- if has .Values.proxy.cidr (list "0.0.0.0/0" "::/0") -}}
{{- fail "proxy.cidr: is everybody, so that anyone could choose the address that limits count; name the network of the ingress controller's pods" -}}
{{- end -}}
{{- if and $production $local $dex.enabled (not .Values.proxy.cidr) -}}
{{- fail "proxy.cidr: is empty, so no login would have an address and limits by network could not work; name the network of the ingress controller's pods" -}}
{{- end -}}
{{- if and .Values.chatApi.guests (or .Values.ingress.enabled .Values.httpRoute.enabled) (not .Values.proxy.cidr) -}}
{{- fail "proxy.cidr: is empty, so all guests of the chat would be one network and share its limits; name the network of the ingress controller's pods, or set chatApi.guests to false" -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.httpRoute.enabled -}}
{{- fail "httpRoute.enabled: the Ingress is on, too; choose one of the two" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: is empty; name the Gateway that the route belongs to" -}}
{{- end -}}
{{- if and $production .Values.networkPolicy.enabled (or .Values.ingress.enabled .Values.httpRoute.enabled) (not .Values.networkPolicy.ingressFrom) -}}
{{- fail "networkPolicy.ingressFrom: is empty, which lets every pod reach Dex past the ingress controller; name the controller's namespace" -}}
{{- end -}}
{{- if and $production .Values.networkPolicy.enabled $local (not $dex.enabled) (not .Values.networkPolicy.dexPeers) -}}
{{- fail "networkPolicy.dexPeers: is empty, which lets every pod call auth-connector; name your Dex's namespace and pods" -}}
{{- end -}}

{{/* Servers. */}}
{{- if $production -}}
{{- range list "postgres" "kafka" "mongodb" -}}
{{- if eq (index $.Values .).mode "development" -}}
{{- fail (printf "%s.mode: is development, one server without copies, which environment: production does not allow; choose operator or external" .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.maildev.enabled -}}
{{- fail "maildev.enabled: is an inbox that everybody can read, for environment: development only" -}}
{{- end -}}
{{- end -}}
{{- $mail := .Values.mail -}}
{{- if and $mail.server (not $mail.from) -}}
{{- fail "mail.from: is empty, and mail.server needs to know whom mail comes from; write NAME <ADDRESS>" -}}
{{- end -}}
{{- if and $mail.server $mail.user (eq $mail.encryption "none") -}}
{{- fail "mail.encryption: is none, and all could read the password of mail.user; choose starttls or implicit" -}}
{{- end -}}
{{- if and $production $mail.server (eq $mail.encryption "none") (not $mail.allowPlaintext) -}}
{{- fail "mail.encryption: is none, plain text, which environment: production allows only with mail.allowPlaintext" -}}
{{- end -}}
{{- if and (hasPrefix "maildev:" $mail.server) (not .Values.maildev.enabled) -}}
{{- fail (printf "mail.server: is %s, and maildev.enabled is off; name your mail server" $mail.server) -}}
{{- end -}}
{{- with include "chatapp.accountsURL" . -}}
{{- if not $mail.server -}}
{{- fail "mail.server: is empty, and the accounts pages mail a code to everybody; name your mail server, or set accounts.pages to false" -}}
{{- end -}}
{{- if and (hasPrefix "http://" .) (not (regexMatch "^http://([^/]+[.])?localhost(:[0-9]+)?/|^http://(127[.][0-9.]+|\\[::1\\])(:[0-9]+)?/" .)) -}}
{{- fail (printf "accounts.publicURL: is plain text (%s), and browsers keep the cookies of the accounts pages over https:// alone; end TLS before them" .) -}}
{{- end -}}
{{- if and (hasPrefix "https://" .) (not $.Values.proxy.cidr) -}}
{{- fail "proxy.cidr: is empty, so all people at the accounts pages would be one network and share its limits; name the network of the ingress controller's pods" -}}
{{- end -}}
{{- if and $production (hasPrefix "http://" .) -}}
{{- fail (printf "accounts.publicURL: is plain text (%s), which environment: production does not allow; use https://" .) -}}
{{- end -}}
{{- end -}}
{{- $postgres := .Values.postgres -}}
{{- if eq $postgres.mode "external" -}}
{{- if and $dex.enabled (not $postgres.host) -}}
{{- fail "postgres.host: is empty; name the server with the database dex, or choose another postgres.mode" -}}
{{- end -}}
{{- if and $production (eq $postgres.sslMode "disable") -}}
{{- fail "postgres.sslMode: is disable, plain text, which environment: production does not allow; use verify-full" -}}
{{- end -}}
{{- end -}}
{{- if and (ne $postgres.mode "external") (eq $postgres.serviceRole "accounts") -}}
{{- fail "postgres.serviceRole: is accounts, the owner of the tables; auth-connector has to serve as another role that can do less" -}}
{{- end -}}
{{- $kafka := .Values.kafka -}}
{{- if gt (int $kafka.minInsyncReplicas) (int $kafka.replicationFactor) -}}
{{- fail (printf "kafka.minInsyncReplicas: is %d, more than the %d of kafka.replicationFactor, so no message could be acknowledged" (int $kafka.minInsyncReplicas) (int $kafka.replicationFactor)) -}}
{{- end -}}
{{- if and (eq $kafka.mode "operator") (gt (int $kafka.replicationFactor) (int $kafka.operator.brokers)) -}}
{{- fail (printf "kafka.replicationFactor: is %d, more than the %d of kafka.operator.brokers" (int $kafka.replicationFactor) (int $kafka.operator.brokers)) -}}
{{- end -}}
{{- if eq $kafka.mode "external" -}}
{{- if not $kafka.brokers -}}
{{- fail "kafka.brokers: is empty; name them as host:port, or choose another kafka.mode" -}}
{{- end -}}
{{- $tls := has $kafka.securityProtocol (list "SSL" "SASL_SSL") -}}
{{- if and (hasPrefix "SASL_" $kafka.securityProtocol) (not $kafka.saslUser) -}}
{{- fail (printf "kafka.saslUser: is empty, and kafka.securityProtocol: %s needs one" $kafka.securityProtocol) -}}
{{- end -}}
{{- if and (not $tls) (or $kafka.caSecret $kafka.clientCertificateSecret) -}}
{{- fail (printf "kafka.securityProtocol: is %s, without TLS, and kafka.caSecret or kafka.clientCertificateSecret would not be used; choose SSL or SASL_SSL, or take them out" $kafka.securityProtocol) -}}
{{- end -}}
{{- if and $production (not $tls) (not $kafka.allowPlaintext) -}}
{{- fail (printf "kafka.securityProtocol: is %s, plain text, which environment: production allows only with kafka.allowPlaintext" $kafka.securityProtocol) -}}
{{- end -}}
{{- end -}}

{{/* Secrets, people, certificates. */}}
{{- if and $local .Values.seed.enabled -}}
{{- if and .Values.seed.secret .Values.seed.users -}}
{{- fail "seed.users: there is seed.secret, too; choose one of the two" -}}
{{- end -}}
{{- if and (not .Values.seed.secret) (not .Values.seed.users) -}}
{{- fail "seed.secret: is empty; name the Secret that has users.yaml, or switch seed.enabled off" -}}
{{- end -}}
{{- end -}}
{{- if and $production .Values.seed.users -}}
{{- fail "seed.users: has passwords in the values, for environment: development only; put hashes into a Secret and name it in seed.secret" -}}
{{- end -}}
{{- if ge (int .Values.certificates.renewBeforeDays) (int .Values.certificates.days) -}}
{{- fail (printf "certificates.renewBeforeDays: is %d, not less than the %d of certificates.days, so every certificate would be due at once" (int .Values.certificates.renewBeforeDays) (int .Values.certificates.days)) -}}
{{- end -}}
{{- $connector := .Values.certificates.connectorIssuer -}}
{{- $admin := .Values.certificates.dexAdminIssuer -}}
{{- if and $connector.name (eq $connector.name $admin.name) (eq $connector.kind $admin.kind) -}}
{{- fail (printf "certificates.dexAdminIssuer: is %s, as connectorIssuer, and who may call auth-connector would be Dex's administrator; name two issuers, or none" $admin.name) -}}
{{- end -}}
{{- if and (ne .Values.certificates.mode "cert-manager") (or $connector.name $admin.name) -}}
{{- fail (printf "certificates.mode: is %s, and issuers are for cert-manager; choose it, or take connectorIssuer and dexAdminIssuer out" .Values.certificates.mode) -}}
{{- end -}}

{{/* Sizes, and variables that the chart sets. */}}
{{- range list "authConnector" "chatApi" -}}
{{- $scaling := (index $.Values .).autoscaling -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "%s.autoscaling.minReplicas: is %d, more than the %d of maxReplicas" . (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.chatApi.autoscaling.customMetrics.enabled (not .Values.chatApi.autoscaling.enabled) -}}
{{- fail "chatApi.autoscaling.customMetrics.enabled: chatApi.autoscaling.enabled is off, so nothing would read them" -}}
{{- end -}}
{{- $ours := dict
  "authConnector" (list "ROLES" "POSTGRES_DSN" "POSTGRES_CONNECTIONS" "BCRYPT_COST" "PEPPER_FILE" "GUARD_KEY_FILE" "CODE_KEY_FILE" "TRUSTED_PROXY_CIDRS" "TRUSTED_PROXY_HEADER" "REQUIRE_VERIFIED_EMAIL" "DEX_API_ADDRESS" "DEX_API_CA_FILE" "DEX_API_CERT_FILE" "DEX_API_KEY_FILE" "DEX_CONNECTOR_ID" "CONNECTOR_GRPC_LISTEN" "ACCOUNTS_LISTEN" "ADMIN_LISTEN" "TLS_CERT_FILE" "TLS_KEY_FILE" "TLS_CA_FILE" "TLS_CLIENT_NAMES" "CONNECTOR_INSECURE" "SERVICE_ROLE" "SEED_FILE" "SMTP_ADDRESS" "SMTP_ENCRYPTION" "SMTP_CA_FILE" "SMTP_USER" "SMTP_PASSWORD_FILE" "MAIL_FROM" "MAIL_LANGUAGE" "ACCOUNTS_PUBLIC_URL" "ACCOUNTS_APP_URL" "ACCOUNTS_APP_ORIGINS" "PASSWORD_RANGES_URL" "ACCOUNTS_SIGN_UP" "ACCOUNTS_SEARCH_GROUPS" "ACCOUNTS_CLIENT_SECRET_FILE" "ACCOUNTS_SESSION_KEY_FILE" "DEX_ISSUER_URL" "DEX_DISCOVERY_URL")
  "chatApi" (list "CHAT_LISTEN" "ADMIN_LISTEN" "CHAT_ALLOWED_ORIGINS" "KAFKA_BROKERS" "KAFKA_TOPIC_PREFIX" "KAFKA_SECURITY_PROTOCOL" "KAFKA_CA_FILE" "KAFKA_CERT_FILE" "KAFKA_KEY_FILE" "KAFKA_SASL_MECHANISM" "KAFKA_SASL_USER" "KAFKA_SASL_PASSWORD" "KAFKA_SASL_PASSWORD_FILE" "KAFKA_ALLOW_SASL_PLAINTEXT" "CHAT_REPLICA" "MONGODB_URI" "MONGODB_DATABASE" "DEX_ISSUER_URL" "DEX_AUDIENCE" "DEX_DISCOVERY_URL" "CHAT_DRAIN_PAUSE" "CHAT_DRAIN_OVER" "CHAT_GUESTS" "TRUSTED_PROXY_CIDRS" "TRUSTED_PROXY_HEADER" "KAFKA_PARTITIONS" "KAFKA_REPLICATION_FACTOR" "KAFKA_MIN_INSYNC_REPLICAS") -}}
{{- range $component, $names := $ours -}}
{{- range $name, $_ := (index $.Values $component).env -}}
{{- if has $name $names -}}
{{- fail (printf "%s.env: has %s, which the chart sets from other values; see the README of the chart" $component $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
