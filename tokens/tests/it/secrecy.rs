//! Tokens are credentials: nothing of them leaves by errors or logs.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

use crate::{
    issuer::Answer,
    setup::{Setup, both, with, without},
    signer::{NEW_RSA, part},
};

const CANARY: &str = "canary7Qx";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_of_a_token_appears_in_errors_and_logs() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .finish();
    // For all threads: what one test logs first without a subscriber may never be logged in another (tracing caches
    // that nobody listens). The other tests' lines do no harm here.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let setup = Setup::new().await;
    // So that something is logged at all.
    setup.issuer.keys.set(Answer::Body("no document".into()));
    let mut said = String::new();
    let mut tokens = vec![CANARY.to_owned(), format!("{CANARY}.{CANARY}.{CANARY}")];
    for signer in both() {
        let claims = with(setup.claims(), "sub", CANARY);
        tokens.extend([
            signer.token(&with(claims.clone(), "iss", CANARY)),
            signer.token(&with(claims.clone(), "aud", CANARY)),
            signer.token(&with(claims.clone(), "exp", 1)),
            signer.token(&with(claims.clone(), "exp", CANARY)),
            signer.token(&without(claims.clone(), "exp")),
            signer.token(&with(claims.clone(), "nbf", 4_000_000_000_u32)),
            signer.token(&with(claims.clone(), "iat", 4_000_000_000_u32)),
            signer.token(&with(claims.clone(), "sub", format!("{CANARY} "))),
            signer.token(&with(claims.clone(), "email_verified", CANARY)),
            signer.sign(&with(signer.header(), "alg", CANARY), &claims),
            signer.sign(&with(signer.header(), "crit", json!([CANARY])), &claims),
            signer.sign(&with(signer.header(), "kid", CANARY), &claims),
            signer.sign(&json!({"alg": signer.alg()}), &claims),
            NEW_RSA.sign(&signer.header(), &claims),
            signer.token(&with(claims, "padding", CANARY.repeat(4_000))),
        ]);
    }
    for token in &tokens {
        let error = setup.verify(token).await.unwrap_err();
        let source = std::error::Error::source(&error);
        writeln!(said, "{error}\n{error:?}\n{source:?}").unwrap();
    }
    said += &String::from_utf8(log.0.lock().unwrap().clone()).unwrap();

    assert!(said.contains("the issuer's keys could not be fetched"), "the log was not captured");
    let secrets = tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 8);
    for secret in secrets.chain([CANARY, &part(&json!(CANARY))]) {
        assert!(!said.contains(secret), "{secret} in\n{said}");
    }
}

#[tokio::test]
async fn claims_show_no_personal_data_when_printed() {
    let setup = Setup::new().await;
    let claims = setup.accepted(&both()[0].token(&setup.claims())).await;
    let printed = format!("{claims:?}");
    assert!(printed.contains(claims.subject.as_str()));
    for personal in ["alice", "Alice", "staff"] {
        assert!(!printed.contains(personal), "{printed}");
    }
}
