//! Flows and their codes: what is proved by a code, what is not, and how many are mailed.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use auth_connector::account::{AccountId, Email};
use auth_connector::accounts::{FlowRequest, Flows};
use auth_connector::flow::{Code, CodeNumber, FlowPurpose, FlowToken, Standing};
use auth_connector::limits::{FlowLimits, FlowRates};
use auth_connector::mail::Language;
use auth_connector::store::{ProvedFlow, Store};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::mail::{Mail, Speech};
use futures_util::future::join_all;
use service_process::network::Network;
use service_process::sources::Sources;
use uuid::Uuid;

use crate::setup::postman::{Inbox, Postman};
use crate::setup::{Database, code_key};

/// A database with Alice and others, flows in it, and, where a test reads mail, who sends it.
struct Scene {
    database: Database,
    flows: Flows,
    mail: Option<(Inbox, Postman)>,
}

/// Flows of which one network may begin so many in an hour.
fn flows(database: &Database, per_hour: u32) -> Flows {
    let store = Store::open_with(&database.dsn.clone().into(), 40).expect("a DSN");
    let rate = NonZeroU32::new(per_hour).expect("not 0");
    let rates = FlowRates { network_per_hour: rate, coarse_network_per_hour: rate };
    Flows::new(store, code_key(), Arc::new(FlowLimits::new(rates)), Sources::system())
}

impl Scene {
    async fn without_mail() -> Self {
        let database = Database::with_people().await;
        let flows = flows(&database, 60);
        Self { database, flows, mail: None }
    }

    async fn open() -> Self {
        let scene = Self::without_mail().await;
        let inbox = Inbox::open(Speech::Plain).await;
        let postman = Postman::start(&scene.database, &inbox.settings()).await;
        Self { mail: Some((inbox, postman)), ..scene }
    }

    async fn start(&self, email: &str, now: DateTime<Utc>) -> FlowToken {
        self.start_from(FlowPurpose::SignUp, email, 1, now).await
    }

    async fn start_from(
        &self,
        purpose: FlowPurpose,
        email: &str,
        network: u32,
        now: DateTime<Utc>,
    ) -> FlowToken {
        let request = FlowRequest {
            purpose,
            email: Email::parse(email).expect("an address"),
            language: Language::En,
            network: Some(from(network)),
            hand_back: None,
        };
        self.flows.start(&request, now).await.expect("the database answers")
    }

    /// Waits until there are so many mails; the last in the order of their coming.
    async fn mail(&self, count: usize) -> Mail {
        let (inbox, _) = self.mail.as_ref().expect("mail is sent");
        inbox.has(count).await.pop().expect("at least one")
    }

    async fn prove(
        &self,
        token: &FlowToken,
        code: &str,
        now: DateTime<Utc>,
    ) -> Option<(FlowToken, ProvedFlow)> {
        self.flows.prove(token, Code::parse(code), now).await.expect("the database answers")
    }

    /// How many mails with a code are asked for.
    async fn mails_due(&self) -> i64 {
        sqlx::query_scalar("select count(*) from due_work where kind = 'mail.code'")
            .fetch_one(&self.database.pool)
            .await
            .expect("due work is read")
    }

    async fn alice(&self) -> AccountId {
        let id: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
            .fetch_one(&self.database.pool)
            .await
            .expect("she is there");
        id.into()
    }
}

fn from(n: u32) -> Network {
    Network::of(std::net::Ipv4Addr::from((11 << 24) | (n << 8) | 9).into())
}

fn now() -> DateTime<Utc> {
    (Sources::system().now)()
}

/// The code that a mail shows.
fn code(mail: &Mail) -> String {
    let lines = mail.text.lines();
    let mut codes = lines.filter(|line| line.len() == 9 && line.as_bytes()[4] == b'-');
    codes.next().unwrap_or_else(|| panic!("there is no code in {}", mail.text)).to_owned()
}

/// Another code.
fn wrong(code: &str) -> String {
    let first = if code.starts_with('0') { "1" } else { "0" };
    format!("{first}{}", &code[1..])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailed_code_proves_an_address_once_and_the_flow_has_another_token_then() {
    let scene = Scene::open().await;
    let token = scene.start("ada@example.com", now()).await;
    let mail = scene.mail(1).await;
    assert_eq!(mail.envelope.to[0].address, "ada@example.com");
    let code = code(&mail);
    assert!(mail.html.contains(&code) && !mail.subject.contains(&code), "{mail:?}");

    let typed = code.to_lowercase().replace('-', " ");
    let (proved, flow) = scene.prove(&token, &typed, now()).await.expect("it is the code");
    assert_eq!(flow.purpose, FlowPurpose::SignUp);
    assert_eq!((flow.email.as_str(), flow.standing), ("ada@example.com", Standing::Free));
    assert_ne!(proved, token);
    assert_eq!(scene.prove(&token, &code, now()).await, None, "by the old token");
    assert_eq!(scene.prove(&proved, &code, now()).await, None, "a second time");
    assert!(!scene.flows.resend(&proved, None, now()).await.unwrap(), "nor is there another");
    let stored: String =
        sqlx::query_scalar("select to_jsonb(account_flows)::text from account_flows")
            .fetch_one(&scene.database.pool)
            .await
            .unwrap();
    assert!(!stored.contains(&code) && !stored.contains(&code.replace('-', "")), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_try_may_be_right_and_the_sixth_may_not() {
    let scene = Scene::open().await;
    for (count, wrong_ones, fits) in [(1, 4, true), (2, 5, false)] {
        let token = scene.start(&format!("ada{count}@example.com"), now()).await;
        let code = code(&scene.mail(count).await);
        for n in 0..wrong_ones {
            // What cannot be a code is a try, too.
            let typed = if n == 0 { "?".to_owned() } else { wrong(&code) };
            assert_eq!(scene.prove(&token, &typed, now()).await, None);
        }
        assert_eq!(scene.prove(&token, &code, now()).await.is_some(), fits, "after {wrong_ones}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_ten_minutes_from_the_mail_server_s_word() {
    let scene = Scene::open().await;
    // It waited for hours: that is not the reader's fault.
    let asked = now() - TimeDelta::hours(23);
    for (count, minutes, fits) in [(1, 9, true), (2, 11, false)] {
        let token = scene.start(&format!("ada{count}@example.com"), asked).await;
        let code = code(&scene.mail(count).await);
        scene.database.sent(count).await;
        let later = now() + TimeDelta::minutes(minutes);
        assert_eq!(scene.prove(&token, &code, later).await.is_some(), fits, "{minutes} min");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_good_a_day_after_it_was_asked_for() {
    let scene = Scene::open().await;
    let token = scene.start("ada@example.com", now() - TimeDelta::hours(24)).await;
    scene.database.audited("code.dead", None).await;
    assert!(!scene.flows.resend(&token, None, now()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_its_own_flow_alone_and_a_new_one_voids_only_those_before_it() {
    let scene = Scene::open().await;
    let mine = scene.start("ada@example.com", now()).await;
    let first = code(&scene.mail(1).await);
    let other = scene.start("ada@example.com", now()).await;
    let of_other = code(&scene.mail(2).await);
    assert_eq!(scene.prove(&mine, &of_other, now()).await, None, "of another flow");
    assert!(scene.flows.resend(&mine, Some(from(1)), now()).await.unwrap());
    let second = code(&scene.mail(3).await);
    assert_eq!(HashSet::from([&first, &of_other, &second]).len(), 3);
    assert_eq!(scene.prove(&mine, &first, now()).await, None, "an older one");
    assert!(scene.prove(&mine, &second, now()).await.is_some());
    assert!(scene.prove(&other, &of_other, now()).await.is_some(), "it was not voided");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_right_codes_at_once_one_is_good() {
    let scene = Scene::open().await;
    let token = scene.start("ada@example.com", now()).await;
    let code = code(&scene.mail(1).await);
    let tries = (0..200).map(|_| scene.flows.prove(&token, Code::parse(&code), now()));
    let good = join_all(tries).await.into_iter().filter(|it| matches!(it, Ok(Some(_)))).count();
    assert_eq!(good, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_of_strangers_are_three_mails_and_the_owner_still_gets_one() {
    let scene = Scene::open().await;
    let (start, alice) = (now(), scene.alice().await);
    sqlx::query("insert into known_networks values ($1, $2::cidr, $3)")
        .bind(Uuid::from(alice))
        .bind(from(0).to_string())
        .bind(start)
        .execute(&scene.database.pool)
        .await
        .unwrap();
    for batch in 0..50 {
        let requests = (0..20).map(|n| {
            let n = batch * 20 + n;
            // With a tag it is the same inbox.
            let email = if n % 2 == 0 { "alice@example.com" } else { "Alice+tag@example.com" };
            scene.start_from(FlowPurpose::Reset, email, n + 1, start)
        });
        join_all(requests).await;
    }
    assert_eq!(scene.mails_due().await, 3);
    let token = scene.start_from(FlowPurpose::Reset, "alice@example.com", 0, start).await;
    assert_eq!(scene.mails_due().await, 4);
    let proved = code(&scene.mail(4).await);
    let (_, flow) = scene.prove(&token, &proved, now()).await.expect("it is hers");
    assert_eq!(flow.standing, Standing::Account(alice));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_begins_too_many_flows_leaves_no_row_and_others_go_on() {
    let scene = Scene::without_mail().await;
    let flows = flows(&scene.database, 2);
    let begin = async |email: &str, network: u32| {
        let email = Email::parse(email).expect("an address");
        let (purpose, network) = (FlowPurpose::Reset, Some(from(network)));
        flows.admit(network)?;
        let request =
            FlowRequest { purpose, email, language: Language::En, network, hand_back: None };
        flows.start(&request, now()).await.expect("the database answers");
        Ok::<(), Duration>(())
    };
    assert!(begin("ada@example.com", 1).await.is_ok());
    assert!(begin("bea@example.com", 1).await.is_err());
    assert!(begin("bea@example.com", 2).await.is_ok());
    let flows: i64 = sqlx::query_scalar("select count(*) from account_flows")
        .fetch_one(&scene.database.pool)
        .await
        .unwrap();
    assert_eq!((flows, scene.mails_due().await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_gets_three_mails_an_hour_and_ten_a_day() {
    let scene = Scene::without_mail().await;
    let start = now();
    let mut mails = Vec::new();
    for hour in [0, 1, 2, 3, 4, 24] {
        for _ in 0..4 {
            scene.start("ada@example.com", start + TimeDelta::hours(hour)).await;
        }
        mails.push(scene.mails_due().await);
    }
    assert_eq!(mails, [3, 6, 9, 10, 10, 13]);
    let token = scene.start("ada@example.com", start + TimeDelta::hours(24)).await;
    assert!(scene.flows.resend(&token, None, start + TimeDelta::hours(24)).await.unwrap());
    assert_eq!(scene.mails_due().await, 13, "of one that is asked for again, neither");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_of_which_no_code_was_mailed_has_none_that_could_be_guessed() {
    let scene = Scene::without_mail().await;
    for _ in 0..3 {
        scene.start("ada@example.com", now()).await;
    }
    let token = scene.start("ada@example.com", now()).await;
    assert_eq!(scene.mails_due().await, 3);
    let flow: Uuid = sqlx::query_scalar("select id from account_flows where token_hash = $1")
        .bind(&token.hash()[..])
        .fetch_one(&scene.database.pool)
        .await
        .unwrap();
    for number in [0, 1] {
        let code = code_key().code(CodeNumber { flow, number }).expose();
        assert_eq!(scene.prove(&token, &code, now()).await, None, "the code {number}");
    }
    let later = now() + TimeDelta::hours(1);
    assert!(scene.flows.resend(&token, None, later).await.unwrap());
    let code = code_key().code(CodeNumber { flow, number: 1 }).expose();
    assert!(scene.prove(&token, &code, later).await.is_some(), "now it is mailed");
}

/// Two spellings that are one name here may be two mailboxes.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_the_address_as_its_account_has_it_and_another_spelling_proves_nothing() {
    let scene = Scene::open().await;
    let (stored, other) = ("strasse@example.com", "stra\u{df}e@example.com");
    let early = scene.start(other, now()).await;
    let to_other = scene.mail(1).await;
    assert_eq!(to_other.envelope.to[0].address, other, "nobody has an account yet");
    sqlx::query("update users set email = $1, email_key = $1 where username_key = 'alice'")
        .bind(stored)
        .execute(&scene.database.pool)
        .await
        .unwrap();
    let (_, flow) = scene.prove(&early, &code(&to_other), now()).await.expect("it is the code");
    assert_eq!(flow.standing, Standing::Disabled, "whose mailbox that is, nobody knows");

    for (count, purpose) in [(2, FlowPurpose::Reset), (3, FlowPurpose::SignUp)] {
        let token = scene.start_from(purpose, other, 1, now()).await;
        let mail = scene.mail(count).await;
        assert_eq!(mail.envelope.to[0].address, stored, "{purpose:?}");
        let (_, flow) = scene.prove(&token, &code(&mail), now()).await.expect("it is the code");
        assert_eq!(flow.standing, Standing::Account(scene.alice().await));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_without_an_account_is_done_alike_and_mailed_no_code_to_reset() {
    let scene = Scene::open().await;
    sqlx::query(
        "update users set email = 'eve@example.com', email_key = 'eve@example.com'
                 where username_key = 'eve'",
    )
    .execute(&scene.database.pool)
    .await
    .unwrap();
    let mut left = Vec::new();
    for (count, email, mailbox, has_code) in [
        (1, "alice@example.com", "Alice@example.com", true),
        (2, "nobody@example.com", "nobody@example.com", false),
        // Her account is disabled.
        (3, "eve@example.com", "eve@example.com", false),
    ] {
        let token = scene.start_from(FlowPurpose::Reset, email, 1, now()).await;
        let mail = scene.mail(count).await;
        assert_eq!(mail.envelope.to[0].address, mailbox);
        let codes = mail.text.lines().filter(|line| line.len() == 9).count();
        assert_eq!(codes, usize::from(has_code), "{}", mail.text);
        assert_eq!(scene.prove(&token, "0000-0000", now()).await, None);
        scene.database.sent(count).await;
        let rows: (i64, i64, i64, i16) = sqlx::query_as(
            "select (select count(*) from account_flows), (select count(*) from mail_budgets),
                    (select count(*) from due_work), (select max(tries) from account_flows)",
        )
        .fetch_one(&scene.database.pool)
        .await
        .unwrap();
        let n = i64::try_from(count).unwrap();
        left.push((rows.0 - n, rows.1 - n, rows.2 - n, rows.3));
    }
    assert_eq!(left, [(0, 0, 0, 1); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_with_an_address_that_has_an_account_is_told_so_by_mail_alone() {
    let scene = Scene::open().await;
    let token = scene.start("alice@example.com", now()).await;
    let mail = scene.mail(1).await;
    assert!(mail.text.contains("has one already"), "{}", mail.text);
    let (_, flow) = scene.prove(&token, &code(&mail), now()).await.expect("she reads her mail");
    assert_eq!(flow.standing, Standing::Account(scene.alice().await));
}
