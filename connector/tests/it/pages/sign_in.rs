//! To Dex and back, and whom the cookie is good for

use chrono::Utc;
use reqwest::StatusCode;
use serde_json::json;

use crate::setup::pages::Pages;
use crate::setup::seats::{FLOW, Guest, SESSION, Seats, subject};
use crate::setup::{keys, utf8};

const PAGES: [&str; 5] = [
    "/accounts/profile",
    "/accounts/password",
    "/accounts/email",
    "/accounts/activity",
    "/accounts/close",
];

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_at_dex_comes_back_to_the_page_they_wanted() {
    let seats = Seats::open().await;
    let subject = seats.subject("alice").await;
    for page in PAGES {
        let guest = seats.guest();
        let away = guest.get(page).await.leads_to().to_owned();
        assert_eq!(away, format!("/accounts/sign-in?return_to={page}"));
        let callback = seats.let_in(&guest, &away, json!({ "sub": subject })).await;
        assert!(guest.cookie(FLOW).is_some() && guest.cookie(SESSION).is_none());
        let back = guest.get(&callback).await;
        assert_eq!(back.leads_to(), page);
        assert!(guest.cookie(FLOW).is_none(), "the flow is over");
        assert!(guest.get(page).await.is_inside(), "{page}");
    }
    assert_eq!(seats.guest().get("/accounts").await.leads_to(), "/accounts/profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_says_where_to_but_to_a_page_of_ours() {
    let seats = Seats::open().await;
    let subject = seats.subject("alice").await;
    for path in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/accounts/profile",
        "/accounts/profile/../../evil",
        "/accounts/sign-out",
        "/accounts/callback",
        "",
    ] {
        let guest = seats.guest();
        let encoded: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let from = format!("/accounts/sign-in?return_to={encoded}");
        let callback = seats.let_in(&guest, &from, json!({ "sub": subject })).await;
        assert_eq!(guest.get(&callback).await.leads_to(), "/accounts/profile", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_there_before_is_replaced_by_that_of_who_signs_in() {
    let seats = Seats::open().await;
    let bob = seats.signed_in("bob").await;
    let planted = bob.cookie(SESSION).unwrap();
    let alice = seats.guest();
    alice.set_cookie(SESSION, &planted);
    let subject = seats.subject("alice").await;
    let callback = seats.let_in(&alice, "/accounts/sign-in", json!({ "sub": subject })).await;
    alice.get(&callback).await.leads_to();
    assert_ne!(alice.cookie(SESSION), Some(planted));
    assert!(alice.get("/accounts/profile").await.body.contains("Alice Archer"));
    assert!(!bob.get("/accounts/profile").await.body.contains("Alice Archer"));
    let again = seats.signed_in("alice").await;
    assert_ne!(
        again.cookie(SESSION),
        alice.cookie(SESSION),
        "each sign-in has a cookie of its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_sign_in_signs_nobody_in() {
    let seats = Seats::open().await;
    let subject = seats.subject("bob").await;
    let (alice, bob) = (seats.guest(), seats.guest());
    let of_bob = seats.let_in(&bob, "/accounts/sign-in", json!({ "sub": subject })).await;
    // Nothing was begun here.
    let refused = alice.get(&of_bob).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.body);
    // Something else was.
    alice.get("/accounts/sign-in").await.leads_to();
    let flow = alice.cookie(FLOW);
    for foreign in [&of_bob, "/accounts/callback", "/accounts/callback?code=x&state=y"] {
        let refused = alice.get(foreign).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{foreign}: {}", refused.body);
        assert!(refused.body.contains("href=\"/accounts/profile\""), "it leads on");
        assert_eq!(alice.cookie(SESSION), None);
        assert_eq!(alice.cookie(FLOW), flow, "what was begun here goes on");
    }
    bob.get(&of_bob).await.leads_to();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_is_sent_again_leads_on_and_signs_in_nobody_else() {
    let seats = Seats::open().await;
    let subject = seats.subject("alice").await;
    let guest = seats.guest();
    let callback = seats.let_in(&guest, "/accounts/sign-in", json!({ "sub": subject })).await;
    let flow = guest.cookie(FLOW).unwrap();
    guest.get(&callback).await.leads_to();
    let session = guest.cookie(SESSION);
    assert_eq!(guest.get(&callback).await.leads_to(), "/accounts/profile", "the back button");
    assert_eq!(guest.cookie(SESSION), session);
    // Somebody who copied both has nothing: the code was used.
    let thief = seats.guest();
    thief.set_cookie(FLOW, &flow);
    let refused = thief.get(&callback).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!((thief.cookie(SESSION), thief.cookie(FLOW)), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_this_sign_in_signs_nobody_in() {
    let seats = Seats::open().await;
    let subject = seats.subject("alice").await;
    let now = Utc::now().timestamp();
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "aud": "chat-api" }),
        json!({ "iss": "https://evil.example/dex" }),
        json!({ "exp": now - 60 }),
        json!({ "iat": now + 300 }),
    ] {
        let guest = seats.guest();
        let mut all = json!({ "sub": subject });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let refused = seats.sign_in(&guest, all).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{claims}: {}", refused.body);
        assert_eq!((guest.cookie(SESSION), guest.cookie(FLOW)), (None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_an_account_of_ours_that_may_be_used_is_let_in() {
    let seats = Seats::open().await;
    let alice = seats.subject("alice").await;
    let pool = &seats.pages.database.pool;
    let id: String = sqlx::query_scalar("select id::text from users where username_key = 'alice'")
        .fetch_one(pool)
        .await
        .unwrap();
    let none = "00000000-0000-7000-8000-000000000000";
    for (sub, is_let_in) in [
        (alice.clone(), true),
        (subject(&id, "local"), false),
        (subject(&id, ""), false),
        (subject(none, "local-postgres"), false),
        (subject("08a8684b", "local-postgres"), false),
        (seats.subject("eve").await, false),
        (id, false),
        ("alice".into(), false),
    ] {
        let guest = seats.guest();
        let seen = seats.sign_in(&guest, json!({ "sub": sub })).await;
        assert_eq!(guest.cookie(SESSION).is_some(), is_let_in, "{sub}");
        if !is_let_in {
            assert_eq!(seen.status, StatusCode::UNAUTHORIZED, "{sub}: {}", seen.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_not_ours_is_as_good_as_none() {
    let seats = Seats::open().await;
    let (alice, bob) = (seats.signed_in("alice").await, seats.signed_in("bob").await);
    let (good, other) = (alice.cookie(SESSION).unwrap(), bob.cookie(SESSION).unwrap());
    let (id, text) = good.split_once('.').unwrap();
    let unknown = format!("gone.{text}");
    let changed = format!("{id}.{}", text.chars().rev().collect::<String>());
    let mixed = format!("{}{}", &good[..40], &other[40..]);
    let long = "A".repeat(10 * 1024);
    let longer = format!("{good}{long}");
    let guest = seats.guest();
    guest.get("/accounts/sign-in").await.leads_to();
    // What is sealed for a sign-in is no session.
    let flow = guest.cookie(FLOW).unwrap();
    let forged = [
        "",
        ".",
        "x",
        "\"\"",
        "a b",
        &unknown,
        &changed,
        &mixed,
        &long,
        &longer,
        &flow,
        &good[..60],
    ];
    for value in forged {
        let guest = seats.guest();
        guest.set_cookie(SESSION, value);
        let away = guest.get("/accounts/profile").await;
        assert_eq!(away.leads_to(), "/accounts/sign-in?return_to=/accounts/profile", "{value:.30}");
        let refused = guest.post("/accounts/close", &[("session", "x"), ("password", "x")]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{value:.30}");
    }
    // Two of one name: one of them is somebody else's.
    for pair in [[&good, &other], [&other, &good], [&good, &good]] {
        let mut guest = seats.guest();
        let both = format!("{SESSION}={}; {SESSION}={}", pair[0], pair[1]);
        guest.headers.insert("cookie", both.parse().unwrap());
        guest.get("/accounts/profile").await.leads_to();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_fifteen_minutes() {
    let seats = Seats::open().await;
    let sub = seats.subject("alice").await;
    let now = Utc::now().timestamp();
    for (age, is_good) in [(0, true), (890, true), (900, false), (5000, false)] {
        let guest = seats.guest();
        seats.sign_in(&guest, json!({ "sub": sub, "iat": now - age })).await.leads_to();
        assert_eq!(guest.get("/accounts/profile").await.is_inside(), is_good, "{age}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_replaced_without_signing_anybody_out_and_who_lost_theirs_signs_in_again() {
    let seats = Seats::open().await;
    let alice = seats.signed_in("alice").await;
    let old = std::fs::read_to_string(&keys().session_keys).unwrap();
    let new = format!("new:{}", devstack::name::random_key());
    let secret = seats.file("secret", devstack::issuer::CLIENT_SECRET);
    for (keys, is_in) in [
        (format!("{old}{new}\n"), true),
        (format!("{new}\n{old}"), true),
        (format!("{new}\n"), false),
    ] {
        let file = seats.file("keys", &keys);
        let replica = seats
            .pages
            .beside(&[
                "--dex-issuer-url",
                seats.issuer.url(),
                "--accounts-client-secret-file",
                utf8(&secret),
                "--accounts-session-key-file",
                utf8(&file),
            ])
            .await;
        let there = Guest::at(replica.address());
        there.set_cookie(SESSION, &alice.cookie(SESSION).unwrap());
        let seen = there.get("/accounts/profile").await;
        assert_eq!(seen.is_inside(), is_in, "{}", seen.status);
        if !is_in {
            seen.leads_to();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_over_at_once_when_all_end_or_the_account_may_not_be_used() {
    let seats = Seats::open().await;
    let pool = &seats.pages.database.pool;
    let sub = seats.subject("alice").await;
    let now = Utc::now().timestamp();
    let guest = seats.guest();
    seats.sign_in(&guest, json!({ "sub": sub, "iat": now - 10 })).await.leads_to();
    for (sql, is_in) in [
        (
            "update users set sessions_ended_at = to_timestamp($1) where username_key = 'alice'",
            false,
        ),
        (
            "update users set sessions_ended_at = to_timestamp($1 - 11) where username_key = 'alice'",
            true,
        ),
        // Of the same second none counts.
        (
            "update users set sessions_ended_at = to_timestamp($1 - 10) where username_key = 'alice'",
            false,
        ),
        (
            "update users set sessions_ended_at = to_timestamp($1 - 9.5) where username_key = 'alice'",
            false,
        ),
        ("update users set sessions_ended_at = null where username_key = 'alice' and $1 > 0", true),
        ("update users set is_active = false where username_key = 'alice' and $1 > 0", false),
    ] {
        sqlx::query(sql).bind(now).execute(pool).await.unwrap();
        let session = guest.cookie(SESSION).unwrap();
        let seen = guest.get("/accounts/activity").await;
        assert_eq!(seen.is_inside(), is_in, "{sql}: {}", seen.status);
        if !is_in {
            assert_eq!(seen.status, StatusCode::UNAUTHORIZED);
            assert_eq!(guest.cookie(SESSION), None, "the browser forgets it");
            guest.set_cookie(SESSION, &session);
            let form = [("session", "x"), ("network", "203.0.113.7")];
            let refused = guest.post("/accounts/activity/forget", &form).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
            guest.set_cookie(SESSION, &session);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_is_forgotten_by_the_browser() {
    let seats = Seats::open().await;
    let guest = seats.signed_in("alice").await;
    let told = guest.post("/accounts/sign-out", &[]).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    assert_eq!(guest.cookie(SESSION), None);
    guest.get("/accounts/profile").await.leads_to();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_dex_is_away_the_page_says_when_to_try_again() {
    let seats = Seats::open().await;
    let nowhere = devstack::ports::free().unwrap();
    let secret = seats.file("secret", devstack::issuer::CLIENT_SECRET);
    let alone = seats
        .pages
        .beside(&[
            "--dex-issuer-url",
            &format!("http://127.0.0.1:{nowhere}/dex"),
            "--accounts-client-secret-file",
            utf8(&secret),
            "--accounts-session-key-file",
            utf8(&keys().session_keys),
        ])
        .await;
    let guest = Guest::at(alone.address());
    let told = guest.get("/accounts/sign-in").await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE, "{}", told.body);
    assert_eq!(told.headers["retry-after"], "5");
    // Who is signed in goes on.
    let alice = seats.signed_in("alice").await;
    guest.set_cookie(SESSION, &alice.cookie(SESSION).unwrap());
    assert!(guest.get("/accounts/profile").await.is_inside());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_client_at_dex_there_are_no_such_pages() {
    let pages = Pages::without_mail(&[]).await;
    let guest = Guest::at(pages.address());
    let others = ["/accounts", "/accounts/sign-in", "/accounts/callback"];
    for path in PAGES.into_iter().chain(others) {
        assert_eq!(guest.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
