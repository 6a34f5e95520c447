{{/* Labels of an object. Takes (list . COMPONENT). */}}
{{- define "chatapp.labels" -}}
{{- $root := index . 0 -}}
{{ include "chatapp.selector" . }}
app.kubernetes.io/part-of: chatapp
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* Labels that tell a component's pods from all others. */}}
{{- define "chatapp.selector" -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{/* An image. Takes (list . KEY). Ours have the common registry and tag. */}}
{{- define "chatapp.image" -}}
{{- $root := index . 0 -}}
{{- $images := $root.Values.images -}}
{{- $image := index $images (index . 1) -}}
{{- $ours := has (index . 1) (list "authConnector" "chatApi" "dex" "tools") -}}
{{- $repository := $image.repository -}}
{{- if and $ours $images.registry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" $images.registry) $repository -}}
{{- end -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else if $ours -}}
{{ $repository }}:{{ coalesce $image.tag $images.tag $root.Chart.AppVersion }}
{{- else -}}
{{ $repository }}:{{ $image.tag }}
{{- end -}}
{{- end -}}

{{/* What every pod has. Takes (list . UID): the servers of development have the user of their image. */}}
{{- define "chatapp.pod" -}}
{{- $root := index . 0 -}}
{{- $uid := 65532 -}}
{{- if gt (len .) 1 }}{{ $uid = index . 1 }}{{ end -}}
automountServiceAccountToken: false
# Variables such as KAFKA_PORT, which the kubelet would add for a Service `kafka`, are options of nobody here.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.images.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What every container has, for the level `restricted` and a little more. Takes (list . IMAGE). */}}
{{- define "chatapp.container" -}}
image: {{ include "chatapp.image" . | quote }}
imagePullPolicy: {{ (index . 0).Values.images.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* How replicas are spread and replaced. Takes (list . COMPONENT). */}}
{{- define "chatapp.spread" -}}
topologySpreadConstraints:
{{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "chatapp.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end -}}

{{- define "chatapp.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A new pod is ready before an old one is told to go. */}}
{{- define "chatapp.rollout" -}}
strategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
revisionHistoryLimit: 3
{{- end -}}

{{/* A PodDisruptionBudget where there is more than one. Takes (list . COMPONENT VALUES). */}}
{{- define "chatapp.pdb" -}}
{{- $values := index . 2 -}}
{{- $autoscaled := dig "autoscaling" "enabled" false $values -}}
{{- $least := ternary (dig "autoscaling" "minReplicas" 1 $values) $values.replicas $autoscaled -}}
{{- if gt (int $least) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ index . 1 }}
  labels: {{- include "chatapp.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "chatapp.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Variables. Takes a dictionary; values become text. */}}
{{- define "chatapp.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  {{- if and (kindIs "float64" $value) (eq (floor $value) $value) }}
  {{- /* Otherwise a million would be written 1e+06. */}}
  value: {{ printf "%.0f" $value | quote }}
  {{- else }}
  value: {{ $value | toString | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* A variable from a Secret. Takes (list NAME SECRET KEY). */}}
{{- define "chatapp.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}
{{- end -}}

{{- define "chatapp.issuer" -}}
{{- .Values.dex.issuer | default (printf "%s/dex" .Values.publicURL) -}}
{{- end -}}

{{/* Where browsers find the accounts pages; empty without them. */}}
{{- define "chatapp.accountsURL" -}}
{{- if and .Values.localAccounts.enabled .Values.accounts.pages -}}
{{- .Values.accounts.publicURL | default (printf "%s/accounts" .Values.publicURL) -}}
{{- end -}}
{{- end -}}

{{- define "chatapp.issuerPath" -}}
{{- (urlParse (include "chatapp.issuer" .)).path -}}
{{- end -}}

{{/* Dex as pods reach it. */}}
{{- define "chatapp.dexURL" -}}
{{- if .Values.chatApi.discoveryURL -}}
{{ .Values.chatApi.discoveryURL }}
{{- else if .Values.dex.enabled -}}
http://dex:5556{{ include "chatapp.issuerPath" . }}
{{- else -}}
{{ include "chatapp.issuer" . }}
{{- end -}}
{{- end -}}

{{- define "chatapp.host" -}}
{{- .Values.ingress.host | default (regexReplaceAll ":[0-9]+$" (urlParse .Values.publicURL).host "") -}}
{{- end -}}

{{/* Where PostgreSQL is, in every mode: host, port, sslMode, caSecret. */}}
{{- define "chatapp.postgres" -}}
{{- $values := .Values.postgres -}}
{{- if eq $values.mode "development" -}}
{{ dict "host" "postgres" "port" 5432 "sslMode" "disable" "caSecret" "" | toJson }}
{{- else if eq $values.mode "operator" -}}
{{ dict "host" "postgres-rw" "port" 5432 "sslMode" "verify-full" "caSecret" "postgres-ca" | toJson }}
{{- else -}}
{{ dict "host" $values.host "port" $values.port "sslMode" $values.sslMode "caSecret" $values.caSecret | toJson }}
{{- end -}}
{{- end -}}

{{/* Where Kafka is, in every mode. */}}
{{- define "chatapp.kafka" -}}
{{- $values := .Values.kafka -}}
{{- if eq $values.mode "development" -}}
{{ dict "brokers" (list "kafka:9092") "securityProtocol" "PLAINTEXT" "caSecret" "" "clientCertificateSecret" "" "replicationFactor" 1 "minInsyncReplicas" 1 | toJson }}
{{- else if eq $values.mode "operator" -}}
{{ dict "brokers" (list "kafka-kafka-bootstrap:9093") "securityProtocol" "SASL_SSL" "saslMechanism" "SCRAM-SHA-512" "saslUser" "chat-api" "passwordSecret" "chat-api" "caSecret" "kafka-cluster-ca-cert" "clientCertificateSecret" "" "replicationFactor" $values.replicationFactor "minInsyncReplicas" $values.minInsyncReplicas | toJson }}
{{- else -}}
{{ dict "brokers" $values.brokers "securityProtocol" $values.securityProtocol "saslMechanism" $values.saslMechanism "saslUser" $values.saslUser "passwordSecret" .Values.secrets.kafka "caSecret" $values.caSecret "clientCertificateSecret" $values.clientCertificateSecret "replicationFactor" $values.replicationFactor "minInsyncReplicas" $values.minInsyncReplicas | toJson }}
{{- end -}}
{{- end -}}

{{/* Where MongoDB is: its URI is in a Secret but in development. */}}
{{- define "chatapp.mongodb" -}}
{{- $values := .Values.mongodb -}}
{{- if eq $values.mode "development" -}}
{{ dict "uri" "mongodb://mongodb-0.mongodb:27017/?replicaSet=rs0" "caSecret" "" | toJson }}
{{- else if eq $values.mode "operator" -}}
{{ dict "secret" .Values.secrets.mongodb "key" "connectionString.standard" "caSecret" "mongodb-tls" | toJson }}
{{- else -}}
{{ dict "secret" .Values.secrets.mongodb "key" "uri" "caSecret" $values.caSecret | toJson }}
{{- end -}}
{{- end -}}

{{/* Volumes of authorities and certificates, and where they are mounted. Each takes (list NAME SECRET PATH) items. */}}
{{- define "chatapp.secretVolumes" -}}
{{- range . }}
- name: {{ index . 0 }}
  secret: {secretName: {{ index . 1 }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- define "chatapp.secretMounts" -}}
{{- range . }}
- {name: {{ index . 0 }}, mountPath: {{ index . 2 }}, readOnly: true}
{{- end }}
{{- end -}}

{{/* Files that whoever uses PostgreSQL needs, as JSON of such a list. */}}
{{- define "chatapp.postgresFiles" -}}
{{- $files := list -}}
{{- with (include "chatapp.postgres" . | fromJson).caSecret -}}
{{- $files = append $files (list "postgres-ca" . "/etc/postgres-ca") -}}
{{- end -}}
{{ toJson $files }}
{{- end -}}

{{- define "chatapp.kafkaFiles" -}}
{{- $kafka := include "chatapp.kafka" . | fromJson -}}
{{- $files := list -}}
{{- with $kafka.caSecret -}}
{{- $files = append $files (list "kafka-ca" . "/etc/kafka-ca") -}}
{{- end -}}
{{- with $kafka.clientCertificateSecret -}}
{{- $files = append $files (list "kafka-client" . "/etc/kafka-client") -}}
{{- end -}}
{{ toJson $files }}
{{- end -}}

{{/* Variables by which chat-api reaches Kafka: docs/CONFIGURATION.md. */}}
{{- define "chatapp.kafkaEnv" -}}
{{- $kafka := include "chatapp.kafka" . | fromJson -}}
{{- $sasl := hasPrefix "SASL_" $kafka.securityProtocol -}}
{{- $env := dict "KAFKA_BROKERS" (join "," $kafka.brokers) "KAFKA_SECURITY_PROTOCOL" $kafka.securityProtocol -}}
{{- with .Values.kafka.topicPrefix }}{{ $_ := set $env "KAFKA_TOPIC_PREFIX" . }}{{ end -}}
{{- if $kafka.caSecret }}{{ $_ := set $env "KAFKA_CA_FILE" "/etc/kafka-ca/ca.crt" }}{{ end -}}
{{- if $kafka.clientCertificateSecret -}}
{{- $_ := set $env "KAFKA_CERT_FILE" "/etc/kafka-client/tls.crt" -}}
{{- $_ := set $env "KAFKA_KEY_FILE" "/etc/kafka-client/tls.key" -}}
{{- end -}}
{{- if $sasl -}}
{{- $_ := set $env "KAFKA_SASL_MECHANISM" $kafka.saslMechanism -}}
{{- $_ := set $env "KAFKA_SASL_USER" $kafka.saslUser -}}
{{- end -}}
{{- if eq $kafka.securityProtocol "SASL_PLAINTEXT" }}{{ $_ := set $env "KAFKA_ALLOW_SASL_PLAINTEXT" "true" }}{{ end -}}
{{- include "chatapp.env" $env -}}
{{- if $sasl }}
{{ include "chatapp.secretEnv" (list "KAFKA_SASL_PASSWORD" $kafka.passwordSecret "password") }}
{{- end }}
{{- end -}}

{{/* The init container that waits for a server. Takes (list . SERVER), for PostgreSQL with the Secret of the DSN if there is one. */}}
{{- define "chatapp.wait" -}}
{{- $root := index . 0 -}}
- name: wait
  command: [chart-tools, wait, {{ index . 1 }}, --for={{ $root.Values.jobs.waitSeconds }}s]
  env:
  {{- if eq (index . 1) "kafka" }}
    - name: KAFKA_BROKERS
      value: {{ join "," (include "chatapp.kafka" $root | fromJson).brokers | quote }}
  {{- else if gt (len .) 2 }}
    {{- include "chatapp.secretEnv" (list "POSTGRES_DSN" (index . 2) "dsn") | nindent 4 }}
  {{- else }}
    {{- $postgres := include "chatapp.postgres" $root | fromJson }}
    - name: POSTGRES_DSN
      value: {{ printf "postgres://%s:%v" $postgres.host $postgres.port | quote }}
  {{- end }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 64Mi}
  {{- include "chatapp.container" (list $root "tools") | nindent 2 }}
{{- end -}}

{{/*
The spec of a job but its containers. Takes (list . COMPONENT). A pod that failed stays with its log, a configuration
that cannot be used (64) and a server that did not come are not tried again, and an eviction does not count.
*/}}
{{- define "chatapp.jobLimits" -}}
{{- $root := index . 0 -}}
backoffLimit: 4
activeDeadlineSeconds: {{ add $root.Values.jobs.waitSeconds $root.Values.jobs.runSeconds }}
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
    - action: FailJob
      onExitCodes: {containerName: {{ index . 1 }}, operator: In, values: [64]}
    {{- if gt (len .) 2 }}
    - action: FailJob
      onExitCodes: {containerName: wait, operator: In, values: [1, 64]}
    {{- end }}
{{- end -}}

{{/* Annotations of a job that is a hook at an upgrade and none at an installation. Takes (list . HOOK). */}}
{{- define "chatapp.jobAnnotations" -}}
{{- $root := index . 0 -}}
{{- if or $root.Release.IsUpgrade $root.Values.jobs.annotations -}}
annotations:
  {{- if $root.Release.IsUpgrade }}
  helm.sh/hook: {{ index . 1 }}
  helm.sh/hook-delete-policy: before-hook-creation
  {{- end }}
  {{- with $root.Values.jobs.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The volume of a server of development. Takes {size, className}. */}}
{{- define "chatapp.claim" -}}
volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: {{ .size }}}}
      {{- with .className }}
      storageClassName: {{ . }}
      {{- end }}
{{- end -}}

{{/* Whether the test after an installation knows who can sign in. */}}
{{- define "chatapp.testable" -}}
{{- if and .Values.dex.enabled (or .Values.dex.enablePasswordDB (and .Values.localAccounts.enabled (or .Values.test.secret (and .Values.seed.enabled .Values.seed.users)))) -}}
yes
{{- end -}}
{{- end -}}

{{- define "chatapp.passwordDBHostIsPublic" -}}
{{- $host := regexReplaceAll ":[0-9]+$" (urlParse (include "chatapp.issuer" .)).host "" -}}
{{- if not (or (has $host (list "localhost" "127.0.0.1" "[::1]")) (hasSuffix ".localhost" $host) (hasSuffix ".test" $host)) -}}
yes
{{- end -}}
{{- end -}}
