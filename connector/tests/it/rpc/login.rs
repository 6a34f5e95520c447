//! `Login`, and what stands behind its answer: limits, lockout, hashing, and a store that is slow

mod costs;
mod enumeration;
mod guard;
mod lockout;
mod passwords;
mod siege;
mod slow_store;
mod spellings;

use auth_proto::connector::v1::{LoginResponse, Origin, RefreshRequest, Scopes};
use tonic::Code;

use crate::setup::{Connector, Database, PASSWORD, attempt, eventually, origin};

#[tokio::test]
async fn the_right_password_yields_the_account_by_either_name_in_any_spelling() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let id: uuid::Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
        .fetch_one(&database.pool)
        .await
        .unwrap();

    for name in [
        "Alice",
        "alice",
        " ALICE ",
        "ａｌｉｃｅ",
        "ali\u{200b}ce",
        "alice@example.com",
        "ALICE@EXAMPLE.COM",
    ] {
        let answer = connector.login(name, PASSWORD).await;
        assert!(answer.valid_password, "{name}");
        let identity = answer.identity.expect(name);
        assert_eq!(identity.user_id, id.to_string(), "{name}");
        assert_eq!(identity.username, "Alice Archer");
        assert_eq!(identity.preferred_username, "Alice");
        assert_eq!(identity.email, "Alice@example.com");
        assert!(identity.email_verified);
        assert_eq!(identity.groups, ["admins", "staff"], "sorted");
    }
}

#[tokio::test]
async fn an_account_without_optional_fields_has_its_user_name_for_display_and_no_address() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let identity = connector.login("bob", "another long enough password").await.identity.unwrap();
    assert_eq!((identity.username.as_str(), identity.email.as_str()), ("bob", ""));
    assert!(!identity.email_verified && identity.groups.is_empty());
}

#[tokio::test]
async fn groups_are_given_only_when_they_are_asked_for() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    for scopes in [None, Some(Scopes { offline_access: true, groups: false })] {
        let mut request = attempt("alice", PASSWORD);
        request.scopes = scopes;
        let answer = connector.client().login(request).await.unwrap().into_inner();
        assert!(answer.identity.unwrap().groups.is_empty());
    }
}

#[tokio::test]
async fn every_refusal_about_the_person_is_the_same_answer_and_the_trail_has_the_true_reason() {
    let long = "x".repeat(1025);
    let too_long_name = "n".repeat(255);
    for (name, password, reason) in [
        ("alice", "wrong", "wrong_password"),
        ("alice", "", "wrong_password"),
        ("alice", "Correct horse battery staple", "wrong_password"),
        ("alice", "correct horse battery staple\0", "wrong_password"),
        ("alice@example.com", "wrong", "wrong_password"),
        ("nobody", PASSWORD, "unknown_name"),
        ("alice@elsewhere.example", PASSWORD, "unknown_name"),
        ("eve", PASSWORD, "disabled"),
        ("eve", "wrong", "wrong_password"),
        ("nohash", PASSWORD, "no_password"),
        ("", PASSWORD, "malformed"),
        ("ali\0ce", PASSWORD, "malformed"),
        (&too_long_name, PASSWORD, "malformed"),
        ("alice", &long, "malformed"),
    ] {
        let database = Database::with_people().await;
        let connector = Connector::start(&database.dsn).await;
        let answer = connector.login(name, password).await;
        assert_eq!(answer, LoginResponse::default(), "{name} {reason}");
        database.audited("login.fail", Some(reason)).await;
    }
}

#[tokio::test]
async fn the_trail_says_who_and_from_where() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let id = connector.login("alice", PASSWORD).await.identity.unwrap().user_id;
    let line = database.audited("login.ok", None).await;
    assert_eq!(line.user_id.unwrap().to_string(), id);
    assert_eq!(line.connector_id, "local-postgres");
    assert_eq!(line.remote_ip.as_deref(), Some("203.0.113.7"));
    assert_eq!(line.request_id, "request-1");
}

#[tokio::test]
async fn an_unknown_address_is_no_error_and_stays_unknown_in_the_trail() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let mut request = attempt("alice", PASSWORD);
    request.origin.as_mut().unwrap().remote_ip.clear();
    assert!(connector.client().login(request).await.unwrap().into_inner().valid_password);
    assert_eq!(database.audited("login.ok", None).await.remote_ip, None);
}

/// What tells where a call comes from.
fn hints() -> Vec<Origin> {
    let with = |change: &dyn Fn(&mut Origin)| {
        let mut origin = origin();
        change(&mut origin);
        origin
    };
    let address = |text: &str| with(&|origin| text.clone_into(&mut origin.remote_ip));
    vec![
        Origin::default(),
        address("fe80::1%eth0"),
        address("203.0.113.7:80"),
        address("[2001:db8::1]"),
        address("999.0.2.1"),
        address("unknown, 192.0.2.1"),
        address(&"1".repeat(10_000)),
        address("\0"),
        with(&|origin| origin.connector_id = "c".repeat(129)),
        with(&|origin| "a\0b".clone_into(&mut origin.connector_id)),
        with(&|origin| "a\nb".clone_into(&mut origin.request_id)),
        with(&|origin| origin.request_id = "r".repeat(10_000)),
    ]
}

#[tokio::test]
async fn a_hint_that_cannot_be_used_fails_no_call() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let alice = connector.login("alice", PASSWORD).await.identity.unwrap();
    for hint in hints() {
        let mut login = attempt("alice", PASSWORD);
        login.origin = Some(hint.clone());
        let answer = connector.client().login(login).await;
        assert!(
            answer
                .unwrap_or_else(|status| panic!("{hint:?}: {status}"))
                .into_inner()
                .valid_password
        );
        let refresh = RefreshRequest {
            user_id: alice.user_id.clone(),
            connector_data: alice.connector_data.clone(),
            scopes: None,
            of_code: false,
            origin: Some(hint.clone()),
        };
        let answer = connector.client().refresh(refresh).await;
        answer.unwrap_or_else(|status| panic!("{hint:?}: {status}"));
    }
    let scoped: bool = eventually("the address without its zone", async || {
        sqlx::query_scalar(
            "select true from audit_events where host(remote_ip) = 'fe80::1' limit 1",
        )
        .fetch_optional(&database.pool)
        .await
        .unwrap()
    })
    .await;
    assert!(scoped);
}

#[tokio::test]
async fn parallel_attempts_beyond_the_pool_are_all_answered() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let client = connector.client();
    let attempts: Vec<_> = (0..12)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.login(attempt("alice", PASSWORD)).await })
        })
        .collect();
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(answer) => assert!(answer.into_inner().valid_password),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
    }
}
