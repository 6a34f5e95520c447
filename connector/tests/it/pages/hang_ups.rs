//! Callers who go away in the middle of what they began

use reqwest::StatusCode;
use serde_json::{Value, json};
use service_process_testing::crowd::Crowd;

use crate::setup::pages::{ORIGIN, Pages};
use crate::setup::{PASSWORD, eventually};

/// How many go away at once. The last ones show that both turns at the database are still there.
const CROWDS: [usize; 4] = [1, 300, 3_000, 2];

/// The turns: a fifth of ten connections.
const TURNS: i64 = 2;

const NEW: &str = "an engine that weaves";

/// A proxy that does not tell who calls: networks have no limits then, and a flow has ten hashes.
const BEHIND_A_PROXY: [&str; 2] = ["--trusted-proxy-cidrs", "127.0.0.1/32"];

/// A call with JSON, as it goes over the wire.
fn call(path: &str, cookie: Option<String>, body: &Value) -> Vec<u8> {
    let (body, cookie) = (body.to_string(), cookie.unwrap_or_default());
    let length = body.len();
    format!(
        "POST /accounts/v1{path} HTTP/1.1\r\nhost: localhost\r\norigin: {ORIGIN}\r\nx-session: 1\r\n\
         cookie: {cookie}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Many make these calls in turns, and go away when so many of them have waited for a lock. What was begun by then
/// has come to its end afterwards.
async fn hang_up(
    pages: &Pages,
    (lock, waiting): (&'static str, i64),
    count: usize,
    calls: &[Vec<u8>],
) {
    let mut held = pages.database.pool.begin().await.expect("a transaction");
    sqlx::query(lock).execute(&mut *held).await.expect("it is locked");
    let wait = async || (pages.database.waiting().await >= waiting).then_some(());
    let (crowd, ()) =
        tokio::join!(Crowd::listen(pages.address(), count, calls), eventually(lock, wait));
    drop(crowd);
    held.rollback().await.expect("it is open again");
    let busy = "select count(*) from pg_stat_activity
                where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()";
    eventually("nothing goes on", async || (pages.number(busy).await == 0).then_some(())).await;
}

/// The lock that keeps everybody from a flow, and how many of so many wait for it: who has a turn.
fn flows(count: usize) -> (&'static str, i64) {
    ("lock table account_flows", i64::try_from(count).map_or(TURNS, |count| count.min(TURNS)))
}

/// Logins have their connections, and inboxes get mail again.
async fn all_goes_on(pages: &Pages) {
    assert!(pages.lets_in("bob", "another long enough password").await);
    pages.budgets_anew().await;
    pages.forget_flows().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_while_a_flow_begins_has_one_and_one_mail_or_nothing() {
    let pages = Pages::without_mail(&BEHIND_A_PROXY).await;
    for count in CROWDS {
        let begin = |n: usize| {
            let email = format!("{count}-{n}@example.com");
            call("/flows", None, &json!({"purpose": "sign_up", "email": email}))
        };
        let calls: Vec<Vec<u8>> = (0..count).map(begin).collect();
        hang_up(&pages, flows(count), count, &calls).await;
        if count == 1 {
            let flows = pages.number("select count(*) from account_flows").await;
            assert_eq!(flows, 1, "what was begun is done");
        }
        let alone = "select (select count(*) from account_flows)
                          - (select count(*) from due_work where kind = 'mail.code')";
        assert_eq!(pages.number(alone).await, 0, "of {count}");
        let twice = "select count(*) from mail_budgets where cardinality(sent) > 1";
        assert_eq!(pages.number(twice).await, 0, "nobody was charged twice");
        all_goes_on(&pages).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_while_a_code_is_tried_or_a_password_changes_did_it_once_or_not() {
    let pages = Pages::open_with(&BEHIND_A_PROXY).await;
    let mut changes = 0;
    for (n, count) in CROWDS.into_iter().enumerate() {
        let browser = pages.browser();
        let flow = json!({"purpose": "reset", "email": "alice@example.com"});
        browser.json("/accounts/v1/flows", flow).await;
        let code = json!({"code": pages.code(n + 1).await});
        let tried = [call("/flows/confirm", browser.cookie(), &code)];
        hang_up(&pages, flows(count), count, &tried).await;
        let counted = pages.number("select max(tries)::bigint from account_flows").await;
        assert!((0..=5).contains(&counted), "{counted} tries of {count}");
        // Whoever comes back while a try is left goes on where the answer would have led to.
        sqlx::query(
            "update account_flows
             set tries = 0, proved_at = case when proved_at is not null then now() end",
        )
        .execute(&pages.database.pool)
        .await
        .unwrap();
        let again = browser.json("/accounts/v1/flows/confirm", code).await;
        assert_eq!(again.status, StatusCode::OK, "{}", again.body);

        let new = [call("/reset", browser.cookie(), &json!({"password": NEW}))];
        // Of those whose password is hashed by then.
        let alice = ("select from users where username_key = 'alice' for no key update", 1);
        let epoch = "select auth_epoch from users where username_key = 'alice'";
        let before = pages.number(epoch).await;
        hang_up(&pages, alice, count, &new).await;
        // On a slow machine the database may not have taken it in time.
        let done = pages.number(epoch).await - before;
        assert!((i64::from(count == 1)..=1).contains(&done), "{done} times of {count}");
        let left = pages.number("select count(*) from account_flows").await;
        assert_eq!(left, 1 - done, "of {count}");
        changes += done;
        let told = "select count(*) from due_work where kind = 'mail.password_changed'";
        assert_eq!(pages.number(told).await, changes, "once each");
        assert!(pages.lets_in("alice", NEW).await);
        assert!(!pages.lets_in("alice", PASSWORD).await);
        all_goes_on(&pages).await;
    }
}
