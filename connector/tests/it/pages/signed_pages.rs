//! The pages of who is signed in

use reqwest::header::{HeaderValue, ORIGIN as FROM};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::seats::{FORMS, SESSION, Seats};
use crate::setup::signed::WAY_BACK;

const NEW: &str = "a loom of brass and numbers";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_from_elsewhere_does_nothing_whoever_is_signed_in() {
    let seats = Seats::open().await;
    let before = seats.pages.number("select count(*) from audit_events").await;
    for origin in [None, Some("null"), Some("https://evil.example"), Some("http://localhost:5560")]
    {
        let mut guest = seats.signed_in("alice").await;
        let session = guest.get("/accounts/profile").await.hidden("session");
        guest.headers.remove(FROM);
        if let Some(origin) = origin {
            guest.headers.insert(FROM, HeaderValue::from_static(origin));
        }
        for (path, names) in FORMS {
            let mut fields = vec![("session", session.as_str())];
            fields.extend(names.iter().map(|&name| (name, PASSWORD)));
            let refused = guest.post(path, &fields).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} from {origin:?}");
        }
        assert!(guest.cookie(SESSION).is_some(), "not even signed out");
        // A look changes nothing, wherever the link to it stands.
        assert!(guest.get("/accounts/profile").await.is_inside());
    }
    assert_eq!(seats.pages.number("select count(*) from audit_events").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_an_earlier_session_is_told_so_and_does_nothing() {
    let seats = Seats::open().await;
    let (alice, bob) = (seats.signed_in("alice").await, seats.signed_in("bob").await);
    let earlier = alice.get("/accounts/profile").await.hidden("session");
    // Bob signs in beside her open tab.
    alice.set_cookie(SESSION, &bob.cookie(SESSION).unwrap());
    for (path, names) in FORMS.iter().filter(|(path, _)| !path.ends_with("/accounts/sign-out")) {
        let mut fields = vec![("session", earlier.as_str())];
        fields.extend(names.iter().map(|&name| (name, "another long enough password")));
        let told = alice.post(path, &fields).await;
        assert_eq!(told.status, StatusCode::CONFLICT, "{path}: {}", told.body);
        let without: Vec<_> = fields.into_iter().skip(1).collect();
        assert_eq!(alice.post(path, &without).await.status, StatusCode::BAD_REQUEST, "{path}");
    }
    let people = "select count(*) from users where full_name <> '' or phone is not null";
    assert_eq!(seats.pages.number(people).await, 1, "Alice's name alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_small_kept_by_nobody_framed_by_nobody_and_runs_no_script() {
    let seats = Seats::open().await;
    let mut guest = seats.signed_in("alice").await;
    for (language, words) in [("en", "Sign out"), ("de", "Abmelden")] {
        guest.headers.insert("accept-language", HeaderValue::from_static(language));
        for page in ["profile", "password", "email", "activity", "close"] {
            let shown = guest.get(&format!("/accounts/{page}")).await;
            assert!(shown.is_inside(), "{page}: {}", shown.body);
            assert!(shown.body.contains(words), "{page} in {language}");
            assert!(shown.body.contains(&format!("<html lang=\"{language}\">")));
            assert!(shown.body.len() <= 30_000 && !shown.body.contains("<script"), "{page}");
            let header = |name: &str| shown.headers[name].to_str().unwrap().to_owned();
            let policy = header("content-security-policy");
            for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{page}: {policy}");
            }
            assert_eq!(header("cache-control"), "no-store");
            assert_eq!(header("x-frame-options"), "DENY");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_profile_is_changed_and_what_is_typed_is_shown_as_text() {
    let seats = Seats::open().await;
    let guest = seats.signed_in("alice").await;
    let page = "/accounts/profile";
    let shown = guest.get(page).await.body;
    assert!(shown.contains("Alice Archer") && shown.contains("value=\"Alice\""), "{shown}");
    let name = "<script>alert(1)</script>";
    let saved = guest.submit(page, page, &[("full_name", name), ("phone", "+493012345678")]).await;
    assert_eq!(saved.status, StatusCode::OK);
    assert!(saved.body.contains("role=\"status\""), "{}", saved.body);
    let shown = guest.get(page).await.body;
    assert!(!shown.contains(name) && shown.contains("+493012345678"), "{shown}");
    for phone in ["030 12345678", "+0301234567", "+49 30 12345", "+4930123456789012"] {
        let told = guest.submit(page, page, &[("full_name", "Alice"), ("phone", phone)]).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{phone}");
        assert!(told.body.contains("+493012345678") && told.body.contains(phone), "an example");
    }
    guest.submit(page, page, &[("full_name", "Alice"), ("phone", "")]).await;
    let none = "select count(*) from users where username_key = 'alice' and phone is null";
    assert_eq!(seats.pages.number(none).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_takes_the_one_there_is_and_ends_the_session() {
    let seats = Seats::open().await;
    let guest = seats.signed_in("alice").await;
    let page = "/accounts/password";
    for (current, another, status) in [
        ("not the password at all", NEW, 403),
        (PASSWORD, "brief", 422),
        (PASSWORD, "alice archer alice archer", 422),
    ] {
        let told = guest.submit(page, page, &[("current", current), ("password", another)]).await;
        assert_eq!(told.status.as_u16(), status, "{}", told.body);
        assert!(told.is_form() && !told.body.contains(another), "{}", told.body);
    }
    let done = guest.submit(page, page, &[("current", PASSWORD), ("password", NEW)]).await;
    assert!(seats.pages.sessions_are_told_apart().await, "who signs in now is signed in");
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(guest.cookie(SESSION), None);
    assert!(seats.pages.lets_in("alice", NEW).await);
    assert!(!seats.pages.lets_in("alice", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_address_takes_the_password_and_a_code_and_can_be_undone() {
    let seats = Seats::with_mail().await;
    let guest = seats.signed_in("alice").await;
    let page = "/accounts/email";
    assert!(guest.get(page).await.body.contains("Alice@"));
    for (email, password, status) in
        [("nobody", PASSWORD, 422), ("a@b.example", "wrong password", 403)]
    {
        let told = guest.submit(page, page, &[("email", email), ("password", password)]).await;
        assert_eq!(told.status.as_u16(), status, "{}", told.body);
    }
    let fields = [("email", "alice@new.example"), ("password", PASSWORD)];
    assert_eq!(guest.submit(page, page, &fields).await.leads_to(), "/accounts/email/confirm");
    let typed = seats.pages.code(1).await;
    for (typed, status) in [("0000-0000", 422), (typed.as_str(), 200)] {
        let form = guest.get("/accounts/email/confirm").await;
        let (session, flow) = (form.hidden("session"), form.hidden("flow"));
        let fields = [("session", &*session), ("flow", &flow), ("code", typed)];
        let answer = guest.post("/accounts/email/confirm", &fields).await;
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
    }
    assert!(seats.pages.sessions_are_told_apart().await, "who signs in now is signed in");
    assert_eq!(guest.cookie(SESSION), None);
    assert!(seats.pages.lets_in("alice@new.example", PASSWORD).await);

    let mail = seats.pages.mail_that_says(WAY_BACK).await.text;
    let undo =
        mail.lines().find(|line| line.len() > 25 && !line.contains(' ') && line.contains('-'));
    let stranger = seats.guest();
    assert_eq!(stranger.get("/accounts/undo").await.status, StatusCode::OK);
    let wrong = stranger.post("/accounts/undo", &[("code", "0000-0000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = stranger.post("/accounts/undo", &[("code", undo.expect("a code"))]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("href=\"/accounts/reset\""), "{}", done.body);
    let back = "select count(*) from users where lower(email) = 'alice@example.com'";
    assert_eq!(seats.pages.number(back).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_shows_who_got_in_and_from_where_and_networks_are_forgotten() {
    let seats = Seats::open().await;
    let pool = &seats.pages.database.pool;
    sqlx::query(
        "insert into known_networks select id, network::cidr, now() from users,
         (values ('203.0.113.7'), ('2001:db8:1:2::/64')) known (network) where username_key = 'alice'",
    )
    .execute(pool)
    .await
    .unwrap();
    assert!(seats.pages.lets_in("alice", PASSWORD).await);
    assert!(!seats.pages.lets_in("alice", "a wrong password").await);
    seats.pages.database.audited("login.ok", None).await;
    let guest = seats.signed_in("alice").await;
    let page = "/accounts/activity";
    let shown = crate::setup::eventually("both are shown", async || {
        let shown = guest.get(page).await.body;
        let is_whole = shown.contains("The right password") && shown.contains("was refused");
        is_whole.then_some(shown)
    })
    .await;
    assert!(shown.contains("203.0.113.7") && shown.contains("2001:db8:1:2::/64"), "{shown}");
    for network in ["203.0.113.7", "2001:db8:1:2::", "203.0.113.7"] {
        let fields = [("network", network)];
        let done = guest.submit(page, "/accounts/activity/forget", &fields).await;
        assert_eq!(done.leads_to(), page);
    }
    assert_eq!(seats.pages.number("select count(*) from known_networks").await, 0);
    let bob = seats.signed_in("bob").await;
    assert!(!bob.get(page).await.body.contains("The right password"), "of nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_everywhere_is_signed_out_in_every_browser() {
    let seats = Seats::open().await;
    let (here, there) = (seats.signed_in("alice").await, seats.signed_in("alice").await);
    let bob = seats.signed_in("bob").await;
    let done = here.submit("/accounts/activity", "/accounts/activity/sign-out", &[]).await;
    assert!(seats.pages.sessions_are_told_apart().await, "who signs in now is signed in");
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(here.cookie(SESSION), None);
    assert_eq!(there.get("/accounts/profile").await.status, StatusCode::UNAUTHORIZED);
    assert!(bob.get("/accounts/profile").await.is_inside());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_closed_by_its_password() {
    let seats = Seats::open().await;
    let guest = seats.signed_in("alice").await;
    let page = "/accounts/close";
    let told = guest.submit(page, page, &[("password", "not the password")]).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    let done = guest.submit(page, page, &[("password", PASSWORD)]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert_eq!(guest.cookie(SESSION), None);
    let left = "select count(*) from users where username_key = 'alice'";
    assert_eq!(seats.pages.number(left).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_of_our_pages_call_with_the_cookie_and_no_others() {
    let seats = Seats::open().await;
    let mut guest = seats.signed_in("alice").await;
    let me = "/accounts/v1/me";
    let shown = guest.call(Method::GET, me, None).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains("Alice Archer"));
    // A page that is looked at sends no X-Session, and neither does a form.
    assert_eq!(guest.get(me).await.status, StatusCode::FORBIDDEN);
    let change = json!({ "full_name": "Eve" });
    for origin in ["https://evil.example", "null"] {
        guest.headers.insert(FROM, HeaderValue::from_static(origin));
        let refused = guest.call(Method::PATCH, me, Some(change.clone())).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
        let refused = guest.call(Method::GET, me, None).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
    }
    guest.headers.remove(FROM);
    let refused = guest.call(Method::PATCH, me, Some(change.clone())).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // Browsers name no origin when a page of ours reads.
    assert_eq!(guest.call(Method::GET, me, None).await.status, StatusCode::OK);
    let nobody = seats.guest().call(Method::GET, me, None).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}
