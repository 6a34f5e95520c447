//! A client at an issuer, and a browser between them.

use std::collections::HashMap;

use chrono::Utc;
use devstack::issuer::{CLIENT_SECRET, Issuer};
use dex_session::{Begun, ClientSettings, ReturnPath, Sealer, SignIn, SignInError, SignedIn};
use serde_json::{Value, json};
use service_process::sources::Sources;

pub(crate) const KEYS: &str = "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
pub(crate) const SUBJECT: &str = "CgVhbGljZRIObG9jYWwtcG9zdGdyZXM";

/// A client with its issuer.
pub(crate) struct Setup {
    pub(crate) issuer: Issuer,
    pub(crate) sign_in: SignIn,
}

/// A sign-in that was begun, as the issuer and the browser know it.
pub(crate) struct Begin {
    /// What the issuer was asked.
    pub(crate) asked: HashMap<String, String>,
    pub(crate) location: String,
    pub(crate) cookie: String,
}

/// What the client is, for an issuer at this address.
pub(crate) fn settings(issuer: &str) -> ClientSettings {
    ClientSettings {
        issuer: issuer.to_owned(),
        discovery: None,
        client_id: "accounts".to_owned(),
        client_secret: CLIENT_SECRET.into(),
        redirect_uri: "https://chat.example/accounts/callback".to_owned(),
    }
}

pub(crate) fn client(settings: ClientSettings, keys: &str) -> SignIn {
    SignIn::new(settings, Sealer::parse(keys).expect("keys")).expect("settings that fit")
}

impl Setup {
    pub(crate) async fn start() -> Self {
        let issuer = Issuer::start().await.expect("an issuer");
        let sign_in = client(settings(issuer.url()), KEYS);
        Self { issuer, sign_in }
    }

    pub(crate) async fn begin(&self) -> Begin {
        begin(&self.sign_in).await
    }

    /// The query with which the browser comes back from the issuer, which lets somebody in with these claims beside those
    /// that fit.
    pub(crate) fn let_in(&self, begin: &Begin, code: &str, claims: &Value) -> String {
        let mut fitting = json!({
            "aud": "accounts", "sub": SUBJECT, "nonce": begin.asked["nonce"],
            "iat": Utc::now().timestamp(), "exp": Utc::now().timestamp() + 900,
        });
        for (name, value) in claims.as_object().expect("an object") {
            fitting[name] = value.clone();
        }
        self.issuer
            .grant(code, &begin.asked["code_challenge"], fitting)
            .expect("it has no such code yet");
        format!("code={code}&state={}", begin.asked["state"])
    }

    pub(crate) async fn finish(&self, cookie: &str, query: &str) -> Result<SignedIn, SignInError> {
        self.sign_in.finish(Some(cookie), query, Sources::system()).await
    }
}

pub(crate) async fn begin(sign_in: &SignIn) -> Begin {
    let path = ReturnPath::parse("/accounts/activity").expect("a path");
    let Begun { location, cookie } =
        sign_in.begin(path, Sources::system()).await.expect("Dex answers");
    let asked = location.query_pairs().into_owned().collect();
    Begin { asked, location: location.into(), cookie }
}
