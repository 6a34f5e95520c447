//! Tokens as Dex makes them.

use serde_json::{Value, json};

pub(crate) struct Issuer {
    inner: devstack::issuer::Issuer,
    pub(crate) url: String,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let inner = devstack::issuer::Issuer::start().await.unwrap();
        let url = inner.url().to_owned();
        Self { inner, url }
    }

    /// A token with some claims changed.
    pub(crate) fn token_with(&self, subject: &str, changes: &Value) -> String {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "sub": subject, "aud": "chat-api", "azp": "chat-app-frontend",
            "exp": now + 600, "iat": now, "name": format!("Name of {subject}"),
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.inner.sign(claims).unwrap()
    }

    pub(crate) fn token(&self, subject: &str) -> String {
        self.token_with(subject, &json!({}))
    }

    /// A token that expires `seconds` from now.
    pub(crate) fn token_until(&self, subject: &str, seconds: i64) -> String {
        self.token_with(subject, &json!({ "exp": chrono::Utc::now().timestamp() + seconds }))
    }
}
