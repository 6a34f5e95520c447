//! Dex: its configuration and its part.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use url::Url;

use crate::endpoints::CLIENT_ID;
use crate::part::{Part, probe};
use crate::pki::Pki;
use crate::ports::Ports;
use crate::program::Program;
use crate::secrets::write_private;
use crate::{checkout, http};

/// A second public client, in test stacks only: its tokens are genuine and for somebody else.
pub const OTHER_CLIENT_ID: &str = "other-app";

/// What Dex's configuration depends on.
pub(crate) struct Settings<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) database: &'a Url,
    pub(crate) ports: &'a Ports,
    pub(crate) pki: &'a Pki,
    pub(crate) local_accounts: bool,
    pub(crate) other_client: bool,
    pub(crate) email_user: &'a str,
    pub(crate) email_password: &'a str,
    pub(crate) api_secret: &'a str,
    pub(crate) accounts_secret: &'a str,
}

/// Writes the configuration and gives the part that runs with it.
pub(crate) fn part(state: &Path, settings: &Settings<'_>) -> Result<Part> {
    let file = state.join("dex.yaml");
    let yaml = serde_yaml_ng::to_string(&config(settings)?).context("plain data becomes YAML")?;
    write_private(&file, &yaml)?;
    let program = Program::new(checkout::state().join("bin/dex"))
        .args(["serve".as_ref(), file.as_os_str()])
        // A broken connector configuration stops Dex instead of leaving the button out.
        .env("DEX_CONTINUE_ON_CONNECTOR_FAILURE", "false")
        .env("DEX_EXPAND_ENV", "false");
    let discovery = format!("{}/.well-known/openid-configuration", settings.issuer);
    let ready = probe(move || {
        let discovery = discovery.clone();
        async move { http::answers(&discovery).await }
    });
    Ok(Part::new("dex", program, state, ready))
}

fn config(settings: &Settings<'_>) -> Result<Value> {
    let Settings { ports, pki, database, .. } = settings;
    let mut config = json!({
        "issuer": settings.issuer,
        "storage": {"type": "postgres", "config": {
            "host": database.host_str().context("the PostgreSQL DSN names no host")?,
            "port": database.port().unwrap_or(5432),
            "database": database.path().trim_start_matches('/'),
            "user": database.username(),
            "password": database.password().unwrap_or_default(),
            "maxOpenConns": 20,
            "maxIdleConns": 5,
            "connMaxLifetime": 1800,
            "connectionTimeout": 5,
            "ssl": {"mode": "disable"},
        }},
        "web": {
            "http": format!("127.0.0.1:{}", ports.dex),
            "allowedOrigins": [format!("http://localhost:{}", ports.web)],
            "clientRemoteIP": {"header": "X-Real-IP", "trustedProxies": ["127.0.0.1/32"]},
            "headers": {
                "X-Frame-Options": "DENY",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": content_security_policy(settings)?,
            },
        },
        "telemetry": {"http": format!("127.0.0.1:{}", ports.dex_telemetry)},
        "grpc": {
            "addr": format!("127.0.0.1:{}", ports.dex_admin),
            "tlsCert": pki.dex_admin.server.cert,
            "tlsKey": pki.dex_admin.server.key,
            "tlsClientCA": pki.dex_admin.ca,
        },
        "oauth2": {
            "grantTypes": ["authorization_code", "refresh_token"],
            "responseTypes": ["code"],
            "skipApprovalScreen": true,
            "alwaysShowLoginScreen": true,
        },
        "expiry": {
            "idTokens": "15m",
            "authRequests": "1h",
            "refreshTokens": {
                "disableRotation": false,
                "reuseInterval": "3s",
                "validIfNotUsedFor": "336h",
                "absoluteLifetime": "2160h",
            },
        },
        "signer": {"type": "local", "config": {"keysRotationPeriod": "6h"}},
        "logger": {"level": "INFO", "format": "text"},
        "frontend": {
            "issuer": "Chat",
            "extra": {"appURL": format!("http://localhost:{}/", ports.web)},
        },
        "enablePasswordDB": true,
        "staticPasswords": [{
            "email": settings.email_user,
            "username": "admin",
            "userID": "08a8684b-db88-4b73-90a9-3cd1661f5466",
            // The lowest cost: whoever can read the hash can read the password beside it.
            "hash": bcrypt::hash(settings.email_password, 10).context("bcrypt takes the password")?,
        }],
        "staticClients": clients(settings),
    });
    if settings.local_accounts {
        config["frontend"]["extra"]["accountsURL"] = ports.accounts_url().into();
        config["connectors"] = json!([{
            "type": "grpc",
            "id": "local-postgres",
            "name": "Local Accounts",
            "config": {
                "host": format!("127.0.0.1:{}", ports.connector),
                "serverName": "localhost",
                "caFile": pki.connector.ca,
                "certFile": pki.connector.client.cert,
                "keyFile": pki.connector.client.key,
                "loginTimeout": "8s",
                "refreshTimeout": "3s",
                "prompt": "Username or e-mail",
            },
        }]);
    }
    Ok(config)
}

/// The apps, and what else takes tokens of theirs.
fn clients(settings: &Settings<'_>) -> Vec<Value> {
    let mut clients = vec![
        json!({
            "id": CLIENT_ID, "name": "Chat", "public": true,
            "redirectURIs": [settings.redirect_uri],
        }),
        json!({
            "id": "chat-api", "name": "Chat API", "secret": settings.api_secret,
            "redirectURIs": [], "trustedPeers": [CLIENT_ID],
        }),
    ];
    if settings.other_client {
        clients.push(json!({
            "id": OTHER_CLIENT_ID, "name": "Other", "public": true,
            "redirectURIs": [settings.redirect_uri],
        }));
    }
    if settings.local_accounts {
        clients.push(json!({
            "id": "accounts", "name": "Your account", "secret": settings.accounts_secret,
            "redirectURIs": [format!("{}/callback", settings.ports.accounts_url())],
        }));
    }
    clients
}

/// What a page of Dex may do: show what is Dex's own, send its form to Dex, and be led to the app or to the accounts pages.
/// Chromium holds the redirect after a form to `form-action` too.
fn content_security_policy(settings: &Settings<'_>) -> Result<String> {
    let origin = |address: &str| -> Result<String> {
        let url = Url::parse(address).with_context(|| format!("the address {address}"))?;
        Ok(url.origin().ascii_serialization())
    };
    let (app, accounts) = (origin(settings.redirect_uri)?, origin(&settings.ports.accounts_url())?);
    Ok(format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         form-action 'self' {app} {accounts}; frame-ancestors 'none'; base-uri 'none'"
    ))
}
