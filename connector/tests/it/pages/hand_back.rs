//! The end of a flow that began at a login

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::setup::door::{Door, GONE, SILENT, WAITS};
use crate::setup::pages::{Browser, Pages, Shown};
use crate::setup::{PASSWORD, eventually};

const ADA: &str = "ada@example.com";
const ALICE: &str = "alice@example.com";
const NEW: &str = "an engine that weaves";
const HOME: &str = "127.0.0.1";
const ELSEWHERE: &str = "203.0.113.9";

/// Pages that know where Dex is.
async fn opened(door: &Door) -> Pages {
    Pages::open_with(&["--dex-issuer-url", &door.issuer]).await
}

/// From a first page with this query to the proved address; the `count`th mail is the one with the code.
async fn proved(
    pages: &Pages,
    browser: &Browser,
    (page, query, email): (&str, &str, &str),
    count: usize,
) -> String {
    let begun = browser.get(&format!("/accounts/{page}?{query}")).await;
    let (_, action) = begun.body.split_once(" action=\"").expect("a form");
    let action = action.split('"').next().expect("a value").replace("&#38;", "&");
    browser.post(&action, &[("email", email)]).await.leads_to();
    let code = pages.code(count).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to().to_owned()
}

/// The whole way to an account of Ada.
async fn signed_up(pages: &Pages, query: &str) -> Shown {
    let browser = pages.browser();
    let finish = proved(pages, &browser, ("sign-up", query, ADA), 1).await;
    let made = browser.submit(&finish, &[("full_name", "Ada"), ("password", NEW)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    made
}

/// What a page sends to Dex: the address of the form, the login name and the ticket.
fn handed_over(page: &Shown) -> (String, String, String) {
    let value = |before: &str| {
        let (_, rest) = page.body.split_once(before).unwrap_or_else(|| panic!("{}", page.body));
        rest.split('"').next().expect("a value").replace("&#38;", "&").replace("&#61;", "=")
    };
    (
        value("<form method=\"post\" action=\""),
        value("name=\"login\" value=\""),
        value("name=\"password\" value=\""),
    )
}

/// It leads to the app, and nowhere else.
fn leads_to_the_app(page: &Shown) {
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(!page.body.contains("<form") && !page.body.contains("lat1_"), "{}", page.body);
    assert!(page.body.contains("<a href=\"http://localhost:5173/?from=accounts"), "{}", page.body);
    assert_eq!(page.body.matches("<a ").count(), 1, "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_from_a_login_goes_on_there_with_a_ticket_that_is_good_once_and_here() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let made = signed_up(&pages, &format!("state={WAITS}")).await;
    let (form, login, ticket) = handed_over(&made);
    assert_eq!((form, login.as_str()), (door.form(), ADA));
    assert!(ticket.starts_with("lat1_") && ticket.len() == 48, "256 bits: {}", ticket.len());
    let line = pages.database.audited("ticket.issued", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some(HOME));

    assert!(!pages.lets_in_from(ELSEWHERE, ADA, &ticket).await, "another network");
    assert!(!pages.lets_in_from(HOME, "alice", &ticket).await, "another account");
    assert!(!pages.lets_in_by("other", ADA, &ticket).await, "another connector");
    assert!(!pages.lets_in_from(HOME, ADA, &ticket[..47]).await, "a part of it");
    pages.database.audited("login.fail", Some("ticket")).await;
    assert!(pages.lets_in_from(HOME, ADA, &ticket).await);
    let line = pages.database.audited("login.ok", Some("ticket")).await;
    assert_eq!(line.connector_id, "local-postgres");
    assert!(!pages.lets_in_from(HOME, ADA, &ticket).await, "once");
    assert!(pages.lets_in_from(HOME, ADA, NEW).await, "the password opens it");
    let known = "select count(*) from known_networks where network = '127.0.0.1'";
    eventually("the network is known", async || (pages.number(known).await == 1).then_some(()))
        .await;
    let hashes = "select count(*) from login_tickets where octet_length(ticket_hash) = 32";
    assert_eq!(pages.number(hashes).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_over_after_a_minute_and_when_sessions_of_its_account_are_ended() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let (_, _, ticket) = handed_over(&signed_up(&pages, &format!("state={WAITS}")).await);
    let minute = "select extract(epoch from expires_at - at)::int8 from login_tickets, audit_events
                  where event = 'ticket.issued'";
    assert_eq!(pages.number(minute).await, 60);
    let tomorrow = async |interval: &'static str| {
        sqlx::query(interval).execute(&pages.database.pool).await.expect("time passes");
    };
    tomorrow("update login_tickets set expires_at = now()").await;
    assert!(!pages.lets_in_from(HOME, ADA, &ticket).await, "over");
    tomorrow("update login_tickets set expires_at = now() + interval '50 seconds'").await;
    for command in ["disable", "enable"] {
        let output = pages.database.command(&["users", command, ADA]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert!(!pages.lets_in_from(HOME, ADA, &ticket).await, "its sessions were ended");
    assert!(pages.lets_in_from(HOME, ADA, NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_hands_over_runs_its_script_alone_and_leads_to_dex_and_the_apps_alone() {
    let door = Door::open().await;
    let origins = ["--accounts-app-origins", "https://one.example, https://two.example:8443"];
    let options = [&["--dex-issuer-url", &door.issuer][..], &origins].concat();
    let pages = Pages::open_with(&options).await;
    let made = signed_up(&pages, &format!("state={WAITS}")).await;
    let policies: Vec<_> = made.headers.get_all("content-security-policy").iter().collect();
    let [policy] = policies[..] else { panic!("{policies:?}") };
    let dex = door.issuer.strip_suffix("/dex").expect("its path");
    let forms = format!(
        "form-action {dex} http://localhost:5173 https://one.example https://two.example:8443;"
    );
    let policy = policy.to_str().expect("text");
    for part in ["default-src 'none'", "script-src 'sha256-", &forms, "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(made.headers["x-frame-options"], "DENY");
    assert_eq!(made.body.matches("<script").count(), 1);
    assert!(made.body.len() <= 30_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_login_of_dex_s_leads_to_the_app() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let long = format!("client_id=app&scope={}", "a".repeat(2048));
    for (count, query) in [
        (1, "state=garbage"),
        (2, "state=https://evil.example/aaaaaaaaa"),
        (3, &format!("state={GONE}")),
        (4, &format!("state={SILENT}")),
        (5, &format!("state={WAITS}&state={WAITS}")),
        (6, "client_id=foreign"),
        (7, "client_id=elsewhere"),
        (8, "client_id=garbage"),
        (9, "client_id=refused&redirect_uri=https://chat.example/callback"),
        (10, "client_id=silent"),
        (11, "client_id=unknown"),
        (12, &long),
        (13, "redirect_uri=https://evil.example/&back=https://evil.example/"),
    ] {
        let (browser, email) = (pages.browser(), format!("ada{count}@example.com"));
        let finish = proved(&pages, &browser, ("sign-up", query, &email), count).await;
        let made = browser.submit(&finish, &[("full_name", "Ada"), ("password", NEW)]).await;
        leads_to_the_app(&made);
        assert!(!made.body.contains("evil"), "{}", made.body);
        assert!(pages.lets_in_from(HOME, &email, NEW).await, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_dex_the_account_is_made_and_leads_to_the_app() {
    let closed = format!("http://127.0.0.1:{}/dex", devstack::ports::free().expect("a port"));
    let pages = Pages::open_with(&["--dex-issuer-url", &closed]).await;
    leads_to_the_app(&signed_up(&pages, &format!("state={WAITS}")).await);
    assert!(pages.lets_in_from(HOME, ADA, NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_s_request_becomes_a_login_at_the_end_and_dex_hears_what_is_known_of_it() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let request = "client_id=app&redirect_uri=https%3A%2F%2Fchat.example%2Fcallback&response_type=code\
                   &scope=openid+email&state=of+the+app&nonce=n&code_challenge=c&code_challenge_method=S256";
    let browser = pages.browser();
    let query = format!("{request}&prompt=none&back=https%3A%2F%2Fevil.example&connector_id=mock");
    let finish = proved(&pages, &browser, ("sign-up", &query, ADA), 1).await;
    assert_eq!(door.asked(), Vec::<String>::new(), "not before");
    let short = browser.submit(&finish, &[("full_name", "Ada"), ("password", "short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(door.asked(), Vec::<String>::new(), "not before");
    let made = browser.submit(&finish, &[("full_name", "Ada"), ("password", NEW)]).await;
    let (form, login, ticket) = handed_over(&made);
    assert_eq!((form, login.as_str()), (door.form(), ADA));
    assert_eq!(door.asked(), [request]);
    assert!(pages.lets_in_from(HOME, ADA, &ticket).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_fifty_minutes_and_a_second_code_the_way_back_is_known() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let browser = pages.browser();
    browser
        .post("/accounts/sign-up?client_id=app&scope=openid", &[("email", ADA)])
        .await
        .leads_to();
    let first = pages.code(1).await;
    eventually("the first code is sent", async || {
        let aged = sqlx::query(
            "update account_flows set code_sent_at = code_sent_at - interval '50 minutes',
                                      expires_at = expires_at - interval '50 minutes'
             where code_sent_at is not null",
        );
        let aged = aged.execute(&pages.database.pool).await.expect("time passes");
        (aged.rows_affected() == 1).then_some(())
    })
    .await;
    let late = browser.submit("/accounts/confirm", &[("code", &first)]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    let flow = late.flow();
    browser.post("/accounts/confirm/resend", &[("flow", &flow)]).await.leads_to();
    let second = pages.code(2).await;
    let finish = browser.submit("/accounts/confirm", &[("code", &second)]).await;
    let fields = [("full_name", "Ada"), ("password", NEW)];
    let (form, _, ticket) = handed_over(&browser.submit(finish.leads_to(), &fields).await);
    assert_eq!((form, door.asked()), (door.form(), vec!["client_id=app&scope=openid".to_owned()]));
    assert!(pages.lets_in_from(HOME, ADA, &ticket).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_the_last_page_twice_is_handed_over_until_the_ticket_is_used() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ("sign-up", &format!("state={WAITS}"), ADA), 1).await;
    let cookie = browser.cookie();
    let flow = browser.get(&finish).await.flow();
    let fields = [("flow", flow.as_str()), ("full_name", "Ada"), ("password", NEW)];
    let send = async || {
        let tab = pages.browser();
        tab.set_cookie(cookie.clone());
        tab.post(&finish, &fields).await
    };
    let answers = join_all((0..4).map(|_| send())).await;
    let handed: Vec<_> = answers.iter().map(handed_over).collect();
    assert!(handed.iter().all(|one| *one == handed[0]), "{handed:?}");
    assert_eq!(pages.number("select count(*) from users where full_name = 'Ada'").await, 1);
    assert_eq!(pages.number("select count(*) from login_tickets").await, 1);
    let (_, _, ticket) = &handed[0];
    // The cookie is gone with the first answer.
    let without = pages.browser().post(&finish, &fields).await;
    assert_eq!(without.status, StatusCode::GONE);

    assert!(pages.lets_in_from(HOME, ADA, ticket).await);
    let late = send().await;
    assert_eq!(late.status, StatusCode::GONE, "{}", late.body);
    assert!(late.body.contains("<a href=\"http://localhost:5173/"), "{}", late.body);
    assert!(!late.body.contains("lat1_"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_resets_from_a_login_is_handed_over_when_new_sessions_are_told_from_ended_ones() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ("reset", &format!("state={WAITS}"), ALICE), 1).await;
    let changed = browser.submit(&finish, &[("password", NEW)]).await;
    let (form, login, ticket) = handed_over(&changed);
    assert_eq!((form, login.as_str()), (door.form(), "Alice@example.com"));
    assert!(pages.sessions_are_told_apart().await);
    assert!(pages.lets_in_from(HOME, &login, &ticket).await);
    assert!(!pages.lets_in_from(HOME, "alice", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_with_an_address_that_has_an_account_is_handed_over_too() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ("sign-up", &format!("state={WAITS}"), ALICE), 1).await;
    assert_eq!(finish, "/accounts/reset/finish");
    let changed = browser.submit(&finish, &[("password", NEW)]).await;
    let (_, login, ticket) = handed_over(&changed);
    assert!(pages.lets_in_from(HOME, &login, &ticket).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_an_account_from_a_login_is_led_back_to_its_form_and_types_the_password() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ("unlock", &format!("state={WAITS}"), ALICE), 1).await;
    let opened = browser.submit(&finish, &[]).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.body);
    let link = format!("<a href=\"{}\"", door.form());
    assert!(opened.body.contains(&link), "{}", opened.body);
    assert!(!opened.body.contains("<form") && !opened.body.contains("<script"), "{}", opened.body);
    assert_eq!(pages.number("select count(*) from login_tickets").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_knows_the_network_the_form_is_shown_and_no_ticket_is_made() {
    let door = Door::open().await;
    let proxied = ["--trusted-proxy-cidrs", "127.0.0.0/8", "--dex-issuer-url", &door.issuer];
    let pages = Pages::open_with(&proxied).await;
    let made = signed_up(&pages, &format!("state={WAITS}")).await;
    assert!(made.body.contains(&format!("<a href=\"{}\"", door.form())), "{}", made.body);
    assert!(!made.body.contains("lat1_"));
    assert_eq!(pages.number("select count(*) from login_tickets").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_told_the_same() {
    let door = Door::open().await;
    let pages = opened(&door).await;
    let script = pages.browser();
    let end = async |purpose: &str, hand_back: Value, count: usize, fields: Value| {
        let flow = json!({"purpose": purpose, "email": ADA, "hand_back": hand_back});
        let begun = script.json("/accounts/v1/flows", flow).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
        let code = json!({"code": pages.code(count).await});
        assert_eq!(script.json("/accounts/v1/flows/confirm", code).await.status, StatusCode::OK);
        let path = format!("/accounts/v1/{}", purpose.replace('_', "-"));
        let ended = script.json(&path, fields).await;
        assert!(ended.status.is_success(), "{}", ended.body);
        serde_json::from_str::<Value>(&ended.body).expect("JSON")
    };
    let new = json!({"full_name": "Ada", "password": NEW});
    let made = end("sign_up", json!(format!("state={WAITS}")), 1, new).await;
    let at_dex = &made["hand_over"];
    assert_eq!((&at_dex["form"], &at_dex["login"]), (&json!(door.form()), &json!(ADA)));
    let ticket = at_dex["ticket"].as_str().expect("a ticket").to_owned();
    assert!(pages.lets_in_from(HOME, ADA, &ticket).await);
    let another = json!({"password": "a loom of brass and numbers"});
    let replaced = end("reset", json!("client_id=app"), 2, another).await;
    assert_eq!(replaced["hand_over"]["form"], door.form());
    let unlocked = end("unlock", json!(format!("state={WAITS}")), 3, json!({})).await;
    assert_eq!(unlocked["hand_over"]["ticket"], Value::Null);
    pages.budgets_anew().await;
    let nowhere = end("unlock", json!(format!("state={GONE}")), 4, json!({})).await;
    assert_eq!(nowhere, json!({"hand_over": null}));
}
