//! What the chart is told here: values, and the Secrets and Services that a platform has before it.

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};
use url::Url;

use super::addresses::{ALL, HOST};
use super::images::REGISTRY;
use super::stores::{SERVICE_ROLE, Stores};
use crate::endpoints::{DemoUser, Endpoints, sign_in_url};
use crate::name;
use crate::stack::{User, WRITES};

/// The namespace and the release.
pub(super) const NAME: &str = "chatapp";

/// Addresses outside of the cluster and people, by which the chart's values differ.
pub(super) struct Site {
    /// Dex's port on this machine.
    pub(super) dex: u16,
    /// The chat API's port on this machine.
    pub(super) chat: u16,
    /// The accounts pages' port on this machine.
    pub(super) accounts: u16,
    /// The port of the app's pages; nothing listens there.
    pub(super) web: u16,
    /// People with a Local Account.
    pub(super) users: Vec<User>,
    /// The person in Dex's own list.
    pub(super) email_user: DemoUser,
}

impl Site {
    fn issuer(&self) -> String {
        format!("http://localhost:{}/dex", self.dex)
    }

    fn public_url(&self) -> String {
        format!("http://localhost:{}", self.web)
    }

    fn accounts_url(&self) -> String {
        format!("http://localhost:{}/accounts", self.accounts)
    }

    /// Where everything is, seen from this machine.
    pub(super) fn endpoints(&self, stores: &Stores) -> Result<Endpoints> {
        let redirect_uri = format!("{}/auth/callback", self.public_url());
        let chat_api = format!("http://localhost:{}", self.chat);
        Ok(Endpoints {
            sign_in_url: sign_in_url(&self.issuer(), &redirect_uri)?,
            dex_issuer: self.issuer(),
            redirect_uri,
            chat_replicas: vec![chat_api.clone()],
            chat_api,
            app: None,
            accounts: Some(self.accounts_url()),
            connector_grpc: None,
            postgres: stores.owner_dsn()?.into(),
            kafka: stores.brokers().to_owned(),
            kafka_topic_prefix: String::new(),
            mongodb: stores.mongodb_uri().to_owned(),
            mongodb_database: "chat".into(),
            mail: Some(stores.inbox()),
            demo_users: self
                .users
                .iter()
                .filter(|user| user.is_active)
                .map(|user| DemoUser {
                    login: user.username.clone(),
                    password: user.password.clone(),
                })
                .collect(),
            email_user: self.email_user.clone(),
        })
    }

    /// The chart's values: servers that are there already, plain text on one machine, people from a list.
    pub(super) fn values(&self, tag: &str) -> Value {
        let stores = json!([{"ipBlock": {"cidr": format!("{HOST}/32")}}]);
        json!({
            "environment": "development",
            "publicURL": self.public_url(),
            "accounts": {"pages": true, "publicURL": self.accounts_url()},
            "images": {"tag": tag, "pullPolicy": "Never", "registry": REGISTRY},
            // Two of each and one more while they are replaced, on two processors that others use, too.
            "authConnector": {
                "replicas": 2, "bcryptCost": 10, "resources": {"requests": {"cpu": "100m"}},
            },
            "chatApi": {
                "replicas": 2, "resources": {"requests": {"cpu": "100m"}},
                "env": {"CHAT_WRITES": WRITES},
            },
            "dex": {
                "replicas": 2, "resources": {"requests": {"cpu": "50m"}}, "issuer": self.issuer(),
                "enablePasswordDB": true, "passwordDBEmail": self.email_user.login,
            },
            // Whoever comes in from this machine comes from the node.
            "proxy": {"cidr": ALL},
            "postgres": {
                "mode": "external", "host": "postgres-external", "sslMode": "disable",
                "serviceRole": SERVICE_ROLE,
            },
            "kafka": {
                "mode": "external", "brokers": ["kafka-external:9092"], "securityProtocol": "PLAINTEXT",
                "replicationFactor": 1, "minInsyncReplicas": 1,
            },
            "mongodb": {"mode": "external"},
            "mail": {
                "server": "mail-external:1025", "encryption": "none",
                "from": "Local Accounts <no-reply@localhost>",
            },
            "seed": {"enabled": true, "users": self.users},
            "ingress": {"enabled": true},
            "networkPolicy": {
                "postgresTo": stores, "kafkaTo": stores, "kafkaPorts": [9092], "mongodbTo": stores, "mailTo": stores,
            },
        })
    }
}

/// What is there before the chart: its namespace, at the strictest level of Pod Security; the servers as Services
/// without pods; and the Secrets.
pub(super) fn ground(stores: &Stores, email_user: &DemoUser) -> Result<Value> {
    let mut items = vec![json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAME, "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    })];
    let servers = [
        ("postgres-external", 5432),
        ("kafka-external", 9092),
        ("mongodb-external", 27017),
        ("mail-external", 1025),
    ];
    items.extend(servers.into_iter().flat_map(|(name, port)| elsewhere(name, port)));
    let owner = inside(stores.owner_dsn()?)?;
    let mut service = owner.clone();
    service
        .set_username(SERVICE_ROLE)
        .and_then(|()| service.set_password(Some(stores.service_password())))
        .map_err(|()| anyhow::anyhow!("the PostgreSQL DSN takes no user"))?;
    let mut mongodb: Url = stores.mongodb_uri().parse().context("the MongoDB URI is no URL")?;
    mongodb.set_host(Some("mongodb-external")).context("the MongoDB URI takes no host")?;
    let (peppers, guard_key) = (format!("cluster:{}\n", name::random_key()), name::random_key());
    let (code_key, session_keys) =
        (name::random_key(), format!("cluster:{}\n", name::random_key()));
    let (client, accounts_client) = (name::random_token(24), name::random_token(24));
    let hash = bcrypt::hash(&email_user.password, 10).context("bcrypt takes the password")?;
    items.extend([
        secret("postgres-accounts-owner", &[("dsn", owner.as_str())]),
        secret("postgres-accounts-service", &[("dsn", service.as_str())]),
        secret("postgres-dex", &[("password", stores.dex_password())]),
        secret("auth-connector-keys", &[("peppers", peppers.as_str()), ("guard-key", &guard_key)]),
        secret("auth-connector-codes", &[("code-key", code_key.as_str())]),
        secret(
            "auth-connector-accounts",
            &[("client-secret", accounts_client.as_str()), ("session-keys", &session_keys)],
        ),
        secret(
            "dex-secrets",
            &[
                ("chat-api-client", client.as_str()),
                ("hash", &hash),
                ("password", &email_user.password),
            ],
        ),
        secret("mongodb-uri", &[("uri", mongodb.as_str())]),
    ]);
    Ok(list(items))
}

/// Objects as one.
pub(super) fn list(items: impl Serialize) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

/// The PostgreSQL of this machine by the name that it has in the cluster.
fn inside(mut dsn: Url) -> Result<Url> {
    dsn.set_host(Some("postgres-external")).context("the PostgreSQL DSN takes no host")?;
    dsn.set_query(Some("sslmode=disable"));
    Ok(dsn)
}

/// A Service that leads to a server on this machine.
fn elsewhere(name: &str, port: u16) -> [Value; 2] {
    [
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": NAME},
            "spec": {"ports": [{"name": "server", "port": port}]},
        }),
        json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "name": name, "namespace": NAME, "labels": {"kubernetes.io/service-name": name},
            },
            "addressType": "IPv4", "ports": [{"name": "server", "port": port}],
            "endpoints": [{"addresses": [HOST], "conditions": {"ready": true}}],
        }),
    ]
}

fn secret(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> =
        data.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAME},
        "stringData": data,
    })
}
