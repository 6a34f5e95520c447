{{/*
Dex's configuration, without a secret in it: $NAME in storage and connectors, secretEnv and hashFromEnv come from
variables. What each setting is for: docs/CONFIGURATION.md#settings-that-matter. A test compares it with
values/dex-official-chart.yaml.
*/}}
{{- define "chatapp.dexConfig" -}}
{{- $postgres := include "chatapp.postgres" . | fromJson -}}
issuer: {{ include "chatapp.issuer" . }}
storage:
  type: postgres
  config:
    host: {{ $postgres.host }}
    port: {{ $postgres.port }}
    database: {{ .Values.postgres.dexDatabase }}
    user: {{ .Values.postgres.dexUser }}
    password: $DEX_STORAGE_PASSWORD
    maxOpenConns: 20
    maxIdleConns: 5
    connMaxLifetime: 1800
    connectionTimeout: 5
    ssl:
      mode: {{ $postgres.sslMode }}
      {{- if $postgres.caSecret }}
      caFile: /etc/postgres-ca/ca.crt
      {{- end }}
web:
  http: 0.0.0.0:5556
  allowedOrigins: [{{ .Values.publicURL | quote }}]
  {{- with .Values.proxy.cidr }}
  clientRemoteIP:
    header: {{ $.Values.proxy.header }}
    trustedProxies: [{{ . | quote }}]
  {{- end }}
  headers:
    X-Frame-Options: DENY
    X-Content-Type-Options: nosniff
    # Chromium holds the redirect after a form to form-action, too: it lists the origin of every redirect URI.
    Content-Security-Policy: >-
      default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';
      form-action 'self'{{ range include "chatapp.redirectOrigins" . | fromJsonArray }} {{ . }}{{ end }};
      frame-ancestors 'none'; base-uri 'none'
telemetry:
  http: 0.0.0.0:5558
{{- if .Values.localAccounts.enabled }}
grpc:
  addr: 0.0.0.0:5560
  tlsCert: /etc/dex-admin/tls.crt
  tlsKey: /etc/dex-admin/tls.key
  tlsClientCA: /etc/dex-admin/ca.crt
{{- end }}
oauth2:
  grantTypes: [authorization_code, refresh_token]
  responseTypes: [code]
  skipApprovalScreen: true
  alwaysShowLoginScreen: true
expiry:
  idTokens: 15m
  authRequests: 1h
  refreshTokens:
    disableRotation: false
    reuseInterval: 3s
    validIfNotUsedFor: 336h
    absoluteLifetime: 2160h
signer:
  type: local
  config: {keysRotationPeriod: 6h}
logger: {level: INFO, format: json}
frontend:
  issuer: {{ .Values.dex.title | quote }}
  extra:
    appURL: {{ .Values.publicURL }}/
    {{- with include "chatapp.accountsURL" . }}
    accountsURL: {{ . }}
    {{- end }}
enablePasswordDB: {{ .Values.dex.enablePasswordDB }}
{{- if .Values.dex.enablePasswordDB }}
staticPasswords:
  - email: {{ .Values.dex.passwordDBEmail }}
    username: admin
    userID: 08a8684b-db88-4b73-90a9-3cd1661f5466
    hashFromEnv: PASSWORD_DB_HASH
{{- end }}
staticClients:
  - id: chat-app-frontend
    name: {{ .Values.dex.title | quote }}
    public: true
    redirectURIs: [{{ .Values.publicURL }}/auth/callback]
  - id: chat-api
    name: Chat API
    secretEnv: CHAT_API_CLIENT_SECRET
    redirectURIs: []
    trustedPeers: [chat-app-frontend]
{{- with include "chatapp.accountsURL" . }}
  - id: accounts
    name: Your account
    secretEnv: ACCOUNTS_CLIENT_SECRET
    redirectURIs: [{{ printf "%s/callback" . | quote }}]
{{- end }}
{{- with .Values.dex.staticClients }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- if or .Values.localAccounts.enabled .Values.dex.connectors }}
connectors:
{{- if .Values.localAccounts.enabled }}
  - type: grpc
    # A part of every subject that Dex issues: never another.
    id: local-postgres
    name: Local Accounts
    config:
      host: dns:///auth-connector:5557
      serverName: auth-connector
      caFile: /etc/dex-connector/ca.crt
      certFile: /etc/dex-connector/tls.crt
      keyFile: /etc/dex-connector/tls.key
      loginTimeout: 8s
      refreshTimeout: 3s
      prompt: Username or e-mail
{{- end }}
{{- with .Values.dex.connectors }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Origins of all redirect URIs, each once. */}}
{{- define "chatapp.redirectOrigins" -}}
{{- $origins := list .Values.publicURL -}}
{{- $addresses := list (include "chatapp.accountsURL" .) | compact -}}
{{- range .Values.dex.staticClients }}{{ $addresses = concat $addresses (.redirectURIs | default list) }}{{ end -}}
{{- range $addresses -}}
{{- $url := urlParse . -}}
{{- $origins = append $origins (printf "%s://%s" $url.scheme $url.host) -}}
{{- end -}}
{{- $origins | uniq | toJson -}}
{{- end -}}
