{{/* What has to be there before anything starts, for `chart-tools prepare`: see helm/tools/prepare.go. */}}
{{- define "chatapp.prepareSpec" -}}
{{- $secrets := .Values.secrets -}}
{{- $postgres := include "chatapp.postgres" . | fromJson -}}
{{- $kafka := include "chatapp.kafka" . | fromJson -}}
{{- $local := .Values.localAccounts.enabled -}}
{{- $ourPostgres := ne .Values.postgres.mode "external" -}}
{{- $made := list -}}
{{- $required := list -}}

{{/* PostgreSQL. Passwords are hexadecimal, so that they need no encoding in a DSN. */}}
{{- $query := printf "sslmode=%s" $postgres.sslMode -}}
{{- if $postgres.caSecret }}{{ $query = printf "%s&sslrootcert=/etc/postgres-ca/ca.crt" $query }}{{ end -}}
{{- $dsn := printf "postgres://${username}:${password}@%s:%v/accounts?%s" $postgres.host $postgres.port $query -}}
{{- $password := dict "key" "password" "hex" 24 -}}
{{- if and $secrets.create $ourPostgres -}}
{{- range list (list $secrets.postgresOwner "accounts") (list $secrets.postgresService .Values.postgres.serviceRole) -}}
{{- $made = append $made (dict "name" (index . 0) "type" "kubernetes.io/basic-auth" "values" (list
  (dict "key" "username" "text" (index . 1)) $password (dict "key" "dsn" "text" $dsn))) -}}
{{- end -}}
{{- $made = append $made (dict "name" $secrets.postgresDex "type" "kubernetes.io/basic-auth" "values" (list
  (dict "key" "username" "text" .Values.postgres.dexUser) $password)) -}}
{{- if eq .Values.postgres.mode "development" -}}
{{- $made = append $made (dict "name" "postgres-superuser" "type" "" "values" (list $password)) -}}
{{- end -}}
{{- else -}}
{{- if or $local $ourPostgres -}}
{{- $required = append $required (dict "name" $secrets.postgresOwner "keys" (list "dsn")) -}}
{{- $required = append $required (dict "name" $secrets.postgresService "keys" (list "dsn")) -}}
{{- end -}}
{{- if .Values.dex.enabled -}}
{{- $required = append $required (dict "name" $secrets.postgresDex "keys" (list "password")) -}}
{{- end -}}
{{- end -}}

{{/* auth-connector and Dex. */}}
{{- if $local -}}
{{- if $secrets.create -}}
{{- $made = append $made (dict "name" $secrets.authConnector "type" "" "values" (list
  (dict "key" "peppers" "base64" 32 "prefix" "p1:") (dict "key" "guard-key" "base64" 32))) -}}
{{- else -}}
{{- $required = append $required (dict "name" $secrets.authConnector "keys" (list "peppers" "guard-key")) -}}
{{- end -}}
{{- if .Values.mail.server -}}
{{- if $secrets.create -}}
{{- $made = append $made (dict "name" $secrets.codes "type" "" "values" (list (dict "key" "code-key" "base64" 32))) -}}
{{- else -}}
{{- $required = append $required (dict "name" $secrets.codes "keys" (list "code-key")) -}}
{{- end -}}
{{- end -}}
{{- if include "chatapp.accountsURL" . -}}
{{- if $secrets.create -}}
{{- $made = append $made (dict "name" $secrets.accounts "type" "" "values" (list
  (dict "key" "client-secret" "hex" 32) (dict "key" "session-keys" "base64" 32 "prefix" "k1:"))) -}}
{{- else -}}
{{- $required = append $required (dict "name" $secrets.accounts "keys" (list "client-secret" "session-keys")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.dex.enabled -}}
{{- if $secrets.create -}}
{{- $made = append $made (dict "name" $secrets.dex "type" "" "values" (list
  (dict "key" "chat-api-client" "hex" 32) (dict "key" "login" "text" .Values.dex.passwordDBEmail)
  $password (dict "key" "hash" "bcrypt" "password"))) -}}
{{- else -}}
{{- $required = append $required (dict "name" $secrets.dex "keys" (ternary (list "chat-api-client" "hash") (list "chat-api-client") .Values.dex.enablePasswordDB)) -}}
{{- end -}}
{{- end -}}

{{/* Kafka, MongoDB and a mail server of yours; operators make theirs later. */}}
{{- if and (eq .Values.kafka.mode "external") (hasPrefix "SASL_" $kafka.securityProtocol) -}}
{{- $required = append $required (dict "name" $secrets.kafka "keys" (list "password")) -}}
{{- end -}}
{{- if eq .Values.mongodb.mode "external" -}}
{{- $required = append $required (dict "name" $secrets.mongodb "keys" (list "uri")) -}}
{{- end -}}
{{- if and $local .Values.mail.server .Values.mail.user -}}
{{- $required = append $required (dict "name" $secrets.mail "keys" (list "password")) -}}
{{- end -}}
{{- if eq .Values.mongodb.mode "operator" -}}
{{- if $secrets.create -}}
{{- $made = append $made (dict "name" "mongodb-chat-password" "type" "" "values" (list $password)) -}}
{{- else -}}
{{- $required = append $required (dict "name" "mongodb-chat-password" "keys" (list "password")) -}}
{{- end -}}
{{- end -}}

{{/* Files of yours. */}}
{{- $authorities := list $postgres.caSecret $kafka.caSecret .Values.mongodb.caSecret -}}
{{- if and $local .Values.mail.server }}{{ $authorities = append $authorities .Values.mail.caSecret }}{{ end -}}
{{- if eq .Values.postgres.mode "operator" }}{{ $authorities = without $authorities $postgres.caSecret }}{{ end -}}
{{- if eq .Values.kafka.mode "operator" }}{{ $authorities = without $authorities $kafka.caSecret }}{{ end -}}
{{- range $authorities | compact | uniq -}}
{{- $required = append $required (dict "name" . "keys" (list "ca.crt")) -}}
{{- end -}}
{{- with $kafka.clientCertificateSecret -}}
{{- $required = append $required (dict "name" . "keys" (list "tls.crt" "tls.key")) -}}
{{- end -}}
{{- if and $local .Values.seed.enabled .Values.seed.secret -}}
{{- $required = append $required (dict "name" .Values.seed.secret "keys" (list "users.yaml")) -}}
{{- end -}}
{{- with .Values.test.secret -}}
{{- $required = append $required (dict "name" . "keys" (list "login" "password")) -}}
{{- end -}}

{{- $signers := list -}}
{{- range include "chatapp.authorities" . | fromJsonArray -}}
{{- if eq $.Values.certificates.mode "job" -}}
{{- $signers = append $signers . -}}
{{- else if eq $.Values.certificates.mode "secrets" -}}
{{- range .certificates -}}
{{- $required = append $required (dict "name" .secret "keys" (list "tls.crt" "tls.key" "ca.crt")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "labels" (dict "app.kubernetes.io/part-of" "chatapp" "app.kubernetes.io/instance" .Release.Name)
  "secrets" $made "required" $required "authorities" $signers
  "days" .Values.certificates.days "renewBeforeDays" .Values.certificates.renewBeforeDays | toPrettyJson -}}
{{- end -}}

{{/* The authorities and what each signs, as JSON; by a job of ours or by cert-manager. */}}
{{- define "chatapp.authorities" -}}
{{- $authorities := list -}}
{{- if .Values.localAccounts.enabled -}}
{{- $names := list -}}
{{- range list "" (printf ".%s" .Release.Namespace) (printf ".%s.svc" .Release.Namespace) (printf ".%s.svc.cluster.local" .Release.Namespace) -}}
{{- $names = append $names (printf "auth-connector%s" .) -}}
{{- end -}}
{{- $authorities = append $authorities (dict "secret" "connector-ca" "name" "connector" "certificates" (list
  (dict "secret" "auth-connector-tls" "names" $names "usages" (list "server"))
  (dict "secret" "dex-connector-tls" "names" (list "dex") "usages" (list "client")))) -}}
{{- $admin := list "dex-admin" (printf "dex-admin.%s.svc" .Release.Namespace) -}}
{{- if not .Values.dex.enabled }}{{ $admin = list (regexReplaceAll ":[0-9]+$" .Values.dex.adminAddress "") }}{{ end -}}
{{- $authorities = append $authorities (dict "secret" "dex-admin-ca" "name" "dex-admin" "certificates" (list
  (dict "secret" "dex-admin-tls" "names" $admin "usages" (list "server"))
  (dict "secret" "auth-connector-dex-tls" "names" (list "auth-connector") "usages" (list "client")))) -}}
{{- end -}}
{{- if eq .Values.mongodb.mode "operator" -}}
{{/* Members call each other, so each is server and client. */}}
{{- $authorities = append $authorities (dict "secret" "mongodb-ca" "name" "mongodb" "certificates" (list
  (dict "secret" "mongodb-tls" "names" (list (printf "*.mongodb-svc.%s.svc.cluster.local" .Release.Namespace)) "usages" (list "server" "client")))) -}}
{{- end -}}
{{- toJson $authorities -}}
{{- end -}}

{{/* The Secrets that the job reads and may replace. */}}
{{- define "chatapp.preparedSecrets" -}}
{{- $spec := include "chatapp.prepareSpec" . | fromJson -}}
{{- $read := list -}}
{{- $written := list -}}
{{- range $spec.required }}{{ $read = append $read .name }}{{ end -}}
{{- range $spec.secrets }}{{ $read = append $read .name }}{{ end -}}
{{- range $spec.authorities -}}
{{- $written = append $written .secret -}}
{{- range .certificates }}{{ $written = append $written .secret }}{{ end -}}
{{- end -}}
{{- dict "read" (concat $read $written | uniq | sortAlpha) "written" ($written | sortAlpha) | toJson -}}
{{- end -}}

{{/* Who the job is and what it may. Takes (list . NAME ANNOTATIONS). Names cannot be held to for `create`. */}}
{{- define "chatapp.prepareAccess" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $secrets := include "chatapp.preparedSecrets" $root | fromJson -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels: {{- include "chatapp.labels" (list $root "prepare") | nindent 4 }}
  {{- index . 2 | nindent 2 }}
data:
  spec.json: |
    {{- include "chatapp.prepareSpec" $root | nindent 4 }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "chatapp.labels" (list $root "prepare") | nindent 4 }}
  {{- index . 2 | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  labels: {{- include "chatapp.labels" (list $root "prepare") | nindent 4 }}
  {{- index . 2 | nindent 2 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [create]
  {{- if $secrets.read }}
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: {{ toJson $secrets.read }}
    verbs: [get]
  {{- end }}
  {{- if $secrets.written }}
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: {{ toJson $secrets.written }}
    verbs: [update]
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  labels: {{- include "chatapp.labels" (list $root "prepare") | nindent 4 }}
  {{- index . 2 | nindent 2 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $name }}, namespace: {{ $root.Release.Namespace }}}
{{- end -}}

{{/* The job's pod. Takes (list . NAME). */}}
{{- define "chatapp.preparePod" -}}
{{- $root := index . 0 -}}
metadata:
  labels: {{- include "chatapp.selector" (list $root "prepare") | nindent 4 }}
spec:
  {{- omit (include "chatapp.pod" (list $root) | fromYaml) "automountServiceAccountToken" | toYaml | nindent 2 }}
  serviceAccountName: {{ index . 1 }}
  automountServiceAccountToken: true
  restartPolicy: Never
  containers:
    - name: prepare
      command: [chart-tools, prepare, /etc/prepare/spec.json]
      {{- include "chatapp.container" (list $root "tools") | nindent 6 }}
      resources:
        requests: {cpu: 10m, memory: 16Mi}
        limits: {memory: 64Mi}
      volumeMounts:
        - {name: spec, mountPath: /etc/prepare, readOnly: true}
  volumes:
    - name: spec
      configMap: {name: {{ index . 1 }}}
{{- end -}}
