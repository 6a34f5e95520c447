//! The cookie of who is signed in: whom Dex let in and when, sealed. Nothing is stored.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use dex_session::{Binding, CookieName, SignIn, SignedIn};
use serde::{Deserialize, Serialize};
use service_process::sources::Sources;
use sha2::{Digest as _, Sha256};

/// The cookie of who is signed in.
pub(super) const COOKIE: CookieName = CookieName::new("__Host-Http-accounts");

/// The cookie of a sign-in under way.
pub(super) const FLOW_COOKIE: CookieName = CookieName::new("__Host-Http-accounts-sign-in");

/// How long somebody is signed in. There is no other end at the server but that of all sessions of the account: a copy of the
/// cookie is good for so long. To see to an account takes minutes.
pub(super) const LIFE: TimeDelta = TimeDelta::minutes(15);

/// How far Dex's clock may be ahead of ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// Somebody whom Dex let in, and not yet compared with the account.
#[derive(Debug)]
pub(super) struct Session {
    /// `sub` of the ID token.
    pub(super) sub: String,
    /// `iat` of the ID token.
    pub(super) issued_at: DateTime<Utc>,
    form: String,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    sub: String,
    iat: i64,
}

impl Session {
    /// The cookie for somebody whom Dex let in: another one each time.
    pub(super) fn keep(sign_in: &SignIn, signed_in: &SignedIn, sources: Sources) -> HeaderValue {
        let kept = Kept { sub: signed_in.subject.clone(), iat: signed_in.issued_at.timestamp() };
        let text = serde_json::to_vec(&kept).expect("text becomes JSON");
        COOKIE.keep(&sign_in.sealer().seal(binding(sign_in), &text, sources), LIFE)
    }

    /// Who is signed in at the browser of these headers. `None`: nobody; what is not one of our cookies, or was one for
    /// too long, is none.
    pub(super) fn read(sign_in: &SignIn, headers: &HeaderMap, now: DateTime<Utc>) -> Option<Self> {
        let cookie = COOKIE.read(headers).ok().flatten()?;
        let text = sign_in.sealer().open(binding(sign_in), cookie)?;
        let Kept { sub, iat } = serde_json::from_slice(&text).ok()?;
        let issued_at = DateTime::from_timestamp(iat, 0)?;
        let is_good = issued_at <= now + LEEWAY && now < issued_at + LIFE;
        let code = Sha256::new().chain_update(b"form").chain_update(cookie).finalize();
        let form = URL_SAFE_NO_PAD.encode(&code[..16]);
        is_good.then_some(Self { sub, issued_at, form })
    }

    /// As the forms of its pages bear it: it tells pages of two sessions apart, and opens nothing.
    pub(super) fn of_form(&self) -> &str {
        &self.form
    }
}

fn binding(sign_in: &SignIn) -> Binding<'_> {
    Binding { purpose: "session", client_id: sign_in.client_id(), subject: "" }
}
