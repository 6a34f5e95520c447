//! A verifier with its issuer, its clock and its fetcher running.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use dex_tokens::{Claims, Reason, TokenError, Verifier, VerifierConfig};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    issuer::Issuer,
    signer::{EC, RSA, Signer},
};

/// What every test's verifier demands in `aud`.
pub(crate) const AUDIENCE: &str = "chat-api";
/// When every test begins: a day in 2027.
pub(crate) const START: i64 = 1_800_000_000;

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}

impl dex_tokens::Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.seconds(), 0).unwrap()
    }
}

pub(crate) struct Setup {
    pub(crate) issuer: Issuer,
    pub(crate) clock: TestClock,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) fetcher: JoinHandle<()>,
    _stop: oneshot::Sender<()>,
}

impl Setup {
    /// An issuer with one RSA and one EC key, both already fetched.
    pub(crate) async fn new() -> Self {
        let setup = Self::with(Issuer::start(&[&RSA, &EC]).await, |config| config);
        setup.accepted(&RSA.token(&setup.claims())).await;
        setup
    }

    /// Nothing fetched yet.
    pub(crate) fn with(
        issuer: Issuer,
        configure: impl FnOnce(VerifierConfig) -> VerifierConfig,
    ) -> Self {
        let config = configure(VerifierConfig::new(&issuer.url, AUDIENCE).unwrap());
        let clock = TestClock::new();
        let (verifier, fetcher) = Verifier::new(config, clock.clone()).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let fetcher = tokio::spawn(fetcher.run(async {
            let _ = stopped.await;
        }));
        Self { issuer, clock, verifier: Arc::new(verifier), fetcher, _stop: stop }
    }

    /// The content of a good token, as Dex writes it, from now for 15 minutes.
    pub(crate) fn claims(&self) -> Value {
        claims(&self.issuer.url, self.clock.seconds())
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, self.verifier.verify(token)).await.expect("it hangs")
    }

    #[track_caller]
    pub(crate) fn accepted<'a>(&'a self, token: &'a str) -> impl Future<Output = Arc<Claims>> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            self.verify(token).await.unwrap_or_else(|error| panic!("{caller}: refused: {error}"))
        }
    }

    /// Why the token is refused.
    #[track_caller]
    pub(crate) fn refused<'a>(&'a self, token: &'a str) -> impl Future<Output = Reason> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            match self.verify(token).await {
                Err(TokenError::Invalid(reason)) => reason,
                other => panic!("{caller}: not refused but {other:?}"),
            }
        }
    }
}

pub(crate) fn claims(issuer: &str, now: i64) -> Value {
    json!({
        "iss": issuer,
        "sub": "CgVhbGljZRIObG9jYWwtcG9zdGdyZXM",
        "aud": ["chat-api", "chat-app-frontend"],
        "azp": "chat-app-frontend",
        "exp": now + 900,
        "iat": now,
        "at_hash": "fPPNcKyQGiPWXMYyrUuTYw",
        "email": "alice@example.org",
        "email_verified": true,
        "groups": ["staff", "ops"],
        "name": "Alice Example",
        "preferred_username": "alice",
    })
}

/// `claims` with one of them changed.
pub(crate) fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

/// `claims` with one of them taken out.
pub(crate) fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

/// Both kinds of keys that the issuer of [`Setup::new`] has.
pub(crate) fn both() -> [&'static Signer; 2] {
    [&RSA, &EC]
}

/// Polls until `condition` holds; 20 s is a hang, not a measure.
#[track_caller]
pub(crate) fn eventually(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..4_000 {
            if condition() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{caller}: it never came true");
    }
}
