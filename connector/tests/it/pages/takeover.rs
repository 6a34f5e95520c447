//! Many at once, in any order: nobody has an account whose address they do not read

use auth_connector::flow::{CodeNumber, FlowToken};
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::StatusCode;

use crate::setup::code_key;
use crate::setup::pages::{Browser, Pages};

/// The first two are one name here, and two mailboxes.
const MAILBOXES: [&str; 3] = ["strasse@example.com", "stra\u{df}e@example.com", "ada@example.com"];
const PASSWORDS: [&str; 3] =
    ["what the first one knows", "what the second knows", "what a third knows"];

/// Somebody who reads the mail of one mailbox, and types all addresses there are.
struct Person<'a> {
    pages: &'a Pages,
    reads: usize,
    browser: Browser,
    random: StdRng,
}

impl Person<'_> {
    /// Does one thing, and tells whether it ended a flow.
    async fn act(&mut self) -> bool {
        let email = MAILBOXES[self.random.random_range(0..3)];
        let address = [("email", email)];
        let name_and_password = [("full_name", "Somebody"), ("password", PASSWORDS[self.reads])];
        let (path, fields) = match self.random.random_range(0..11) {
            0 => ("/accounts/sign-up", &address[..]),
            1 => ("/accounts/reset", &address[..]),
            2 => ("/accounts/confirm/resend", &[][..]),
            3..6 => return self.confirm().await,
            6..8 => ("/accounts/sign-up/finish", &name_and_password[..]),
            8..10 => ("/accounts/reset/finish", &name_and_password[1..]),
            _ => return self.disturb().await,
        };
        let answer = self.post(path, fields).await;
        path.ends_with("/finish") && answer == StatusCode::OK
    }

    /// As its page would, of the flow of this browser.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> StatusCode {
        let flow = self.flow().map(|flow| flow.of_form()).unwrap_or_default();
        let of_flow = [("flow", flow.as_str())];
        let begins = fields.first().is_some_and(|(name, _)| *name == "email");
        let fields = [if begins { &[][..] } else { &of_flow[..] }, fields].concat();
        self.browser.post(path, &fields).await.status
    }

    fn flow(&self) -> Option<FlowToken> {
        let cookie = self.browser.cookie()?;
        FlowToken::parse(cookie.split_once('=').expect("a pair").1)
    }

    /// Types the code that was mailed, if it came to this mailbox, and otherwise any.
    async fn confirm(&self) -> bool {
        let Some(flow) = self.flow() else { return false };
        let mailed: Option<(uuid::Uuid, i32, String)> = sqlx::query_as(
            "select id, code, email from account_flows where token_hash = $1 and code > 0",
        )
        .bind(&flow.hash()[..])
        .fetch_optional(&self.pages.database.pool)
        .await
        .expect("flows are read");
        let mailed = mailed.filter(|(.., mailbox)| mailbox == MAILBOXES[self.reads]);
        let code = mailed.map(|(flow, number, _)| code_key().code(CodeNumber { flow, number }));
        let code = code.map_or_else(|| "0000-0000".to_owned(), |code| code.expose());
        self.post("/accounts/confirm", &[("code", &code)]).await;
        false
    }

    /// What operators do meanwhile; and an hour passes for who asks for mail.
    async fn disturb(&mut self) -> bool {
        let what = [
            "delete from users where email = $1",
            "update users set is_active = not is_active where email = $1",
            "delete from mail_budgets where $1 <> ''",
            "delete from mail_budgets where $1 <> ''",
        ][self.random.random_range(0..4)];
        sqlx::query(what)
            .bind(MAILBOXES[self.random.random_range(0..3)])
            .execute(&self.pages.database.pool)
            .await
            .expect("it is done");
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_any_order_an_account_is_of_whoever_reads_the_mail_of_its_address() {
    let many = "1000000";
    let pages = Pages::without_mail(&[
        "--limit-flows-per-hour",
        many,
        "--limit-coarse-flows-per-hour",
        many,
        "--limit-network-per-minute",
        many,
        "--limit-network-burst",
        many,
    ])
    .await;
    let mut ended = 0;
    for seed in 0..4 {
        let people = (0..6).map(|n| {
            let random = StdRng::seed_from_u64(seed * 6 + n);
            let reads = usize::try_from(n % 3).expect("small");
            Person { pages: &pages, reads, browser: pages.browser(), random }
        });
        let lives = people.map(|mut person| async move {
            let mut ended = 0;
            for _ in 0..60 {
                ended += usize::from(person.act().await);
            }
            ended
        });
        ended += join_all(lives).await.into_iter().sum::<usize>();
        sqlx::query("update users set is_active = true")
            .execute(&pages.database.pool)
            .await
            .unwrap();
        let accounts: Vec<(String, bool)> =
            sqlx::query_as("select email, email_verified from users where full_name = 'Somebody'")
                .fetch_all(&pages.database.pool)
                .await
                .unwrap();
        for (email, is_verified) in &accounts {
            assert!(*is_verified, "{email}, seed {seed}");
            let owner = MAILBOXES.iter().position(|mailbox| mailbox == email);
            for (n, password) in PASSWORDS.iter().enumerate() {
                let lets_in = pages.lets_in(email, password).await;
                assert_eq!(lets_in, Some(n) == owner, "{email} by {password}, seed {seed}");
            }
        }
    }
    assert!(ended > 5, "only {ended} flows came to an end");
}
