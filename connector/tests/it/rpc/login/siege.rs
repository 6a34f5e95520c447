//! A day under attack, on a virtual clock: the login path is called as the wire calls it, at times
//! that the test makes up.

use auth_connector::account::Identity;
use auth_connector::audit::{Origin, RefusalReason};
use auth_connector::login::{Attempt, Outcome, Purpose, Unavailable, Who};
use auth_connector::store::Store;
use chrono::TimeDelta;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::setup::login_path::{Path, start};
use crate::setup::{Database, PASSWORD, eventually};

fn granted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Granted(Identity { .. }))
}

/// 5,000 addresses guess at one account for a day, as often as it is open, and the owner logs in
/// from a network it is known from every hour.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_day_strangers_have_sixty_guesses_and_the_owner_is_never_locked_out() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &["--limit-name-per-minute", "1000000"]).await;
    let (home, mut random) = ([192, 0, 2, 1], StdRng::seed_from_u64(5));
    assert!(granted(&path.attempt("alice", PASSWORD, home, start()).await.unwrap()));

    // Whenever a pause ends, 5 s late for what the hashing takes; in the middle of each pause; and
    // then every hour.
    let pauses = [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600].map(|pause| pause + 5);
    let mut times = vec![0];
    for pause in pauses {
        let opened = *times.last().unwrap();
        times.extend([opened + pause / 2, opened + pause]);
    }
    times.extend((19_000..86_400).step_by(3600));
    let (mut verified, mut guesses, mut by_then) = (0, 0, Vec::new());
    for second in times {
        let now = start() + TimeDelta::seconds(second);
        // Bursts go on until one is refused, as somebody would who wants all there is.
        loop {
            let answers = (0..8).map(|_| {
                let n: u16 = random.random_range(0..5000);
                let [high, low] = n.to_be_bytes();
                guesses += 1;
                let (path, guess) = (&path, format!("guess {guesses}"));
                async move {
                    let name = if n.is_multiple_of(2) { "alice" } else { "alice@example.com" };
                    path.attempt(name, &guess, [20 + high, low, 7, 7], now).await
                }
            });
            let mut refused = false;
            for answer in futures_util::future::join_all(answers).await {
                match answer {
                    Ok(Outcome::Refused(RefusalReason::WrongPassword)) => verified += 1,
                    // The pool is no part of the promise here: who is shed was not verified.
                    Err(Unavailable::Saturated(_)) => {}
                    Ok(Outcome::Refused(_)) => refused = true,
                    other => panic!("{other:?}"),
                }
            }
            if refused {
                break;
            }
        }
        by_then.push((second, verified));
        let answer = path.attempt("alice", PASSWORD, home, now).await.unwrap();
        assert!(granted(&answer), "the owner, after {second} s: {answer:?}");
    }
    let by = |second: i64| by_then.iter().rev().find(|(at, _)| *at <= second).unwrap().1;
    assert_eq!(by(0), 10, "at once");
    assert!(by(31 * 60) <= 35, "by minute 31");
    assert_eq!(by(31 * 60 + 5 * 5), 35, "then");
    assert_eq!(by(86_400), 60, "in all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_tries_many_names_gets_no_answer_but_for_those_it_is_known_by() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    let office = [192, 0, 2, 9];
    assert!(granted(&path.attempt("alice", PASSWORD, office, start()).await.unwrap()));
    for n in 0..16 {
        let outcome = path.attempt(&format!("name {n}"), "a guess", office, start()).await.unwrap();
        assert_eq!(outcome, Outcome::Refused(RefusalReason::UnknownName), "{n}");
    }
    let bob = path.attempt("bob", "another long enough password", office, start()).await.unwrap();
    assert_eq!(bob, Outcome::Refused(RefusalReason::Sprayed), "right, and not known from there");
    assert!(granted(&path.attempt("alice", PASSWORD, office, start()).await.unwrap()));
    let wrong = path.attempt("alice", "a guess", office, start()).await.unwrap();
    assert_eq!(wrong, Outcome::Refused(RefusalReason::WrongPassword), "known pairs are verified");
    let charged: i64 = sqlx::query_scalar(
        "select count(*) from login_guard join users using (guard_key)
         where username_key = 'bob' and failures + cardinality(pending) > 0",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    assert_eq!(charged, 0, "what is not verified is not counted");
    let later = start() + TimeDelta::minutes(15);
    let bob = path.attempt("bob", "another long enough password", office, later).await.unwrap();
    assert!(granted(&bob), "{bob:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_on_a_name_keeps_strangers_out_and_the_owner_in() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &["--limit-name-per-minute", "2"]).await;
    let home = [192, 0, 2, 1];
    assert!(granted(&path.attempt("alice", PASSWORD, home, start()).await.unwrap()));
    let refused = async |address| {
        let answer = path.attempt("alice", PASSWORD, address, start()).await.unwrap();
        answer == Outcome::Refused(RefusalReason::Throttled)
    };
    crate::setup::eventually("the name is throttled", async || {
        refused([198, 51, 100, 1]).await.then_some(())
    })
    .await;
    assert!(granted(&path.attempt("alice", PASSWORD, home, start()).await.unwrap()));
    assert!(refused([203, 0, 113, 1]).await);
    let nobody = path.attempt("alice", "a guess", home, start()).await.unwrap();
    assert_eq!(nobody, Outcome::Refused(RefusalReason::WrongPassword), "known pairs are verified");
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_a_process_that_died_close_the_account_and_are_told_of() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    sqlx::query(
        "insert into login_guard (guard_key, network, failures, last_failure_at, pending, last_charge_at)
         select guard_key, '::/0', 8, $1, array[row(gen_random_uuid(), $1)::guard_charge,
                                                row(gen_random_uuid(), $1)::guard_charge], $1
         from users where username_key = 'alice'",
    )
    .bind(start())
    .execute(&database.pool)
    .await
    .unwrap();
    path.logins.sweep(start() + TimeDelta::seconds(29)).await;
    let failures = async || -> i32 {
        sqlx::query_scalar("select failures from login_guard")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    assert_eq!(failures().await, 8, "they may still end");
    path.logins.sweep(start() + TimeDelta::seconds(31)).await;
    assert_eq!(failures().await, 10);
    assert!(database.audited("account.locked", None).await.user_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_network_has_five_failures_of_its_own_and_then_counts_as_a_stranger() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    let (home, abroad) = ([192, 0, 2, 1], [198, 51, 100, 1]);
    assert!(granted(&path.attempt("alice", PASSWORD, home, start()).await.unwrap()));
    for n in 0..5 {
        path.attempt("alice", &format!("typo {n}"), home, start()).await.unwrap();
    }
    let strangers = async || -> Option<i32> {
        sqlx::query_scalar("select failures from login_guard where network = '::/0'")
            .fetch_optional(&database.pool)
            .await
            .unwrap()
    };
    assert_eq!(strangers().await.unwrap_or(0), 0);
    path.attempt("alice", "typo 6", home, start()).await.unwrap();
    assert_eq!(strangers().await, Some(1));
    // A success clears its own network only.
    assert!(granted(&path.attempt("alice", PASSWORD, home, start()).await.unwrap()));
    assert!(granted(&path.attempt("alice", PASSWORD, abroad, start()).await.unwrap()));
    assert_eq!(strangers().await, Some(1));
    for n in 0..5 {
        path.attempt("alice", &format!("again {n}"), home, start()).await.unwrap();
    }
    assert_eq!(strangers().await, Some(1), "five again");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_addresses_of_one_network_have_one_network_s_attempts() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    let mut throttled = 0;
    let attempts = (0..10_000_u32).map(|n| {
        let mut address = [0; 16];
        address[..8].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 1]);
        address[12..].copy_from_slice(&n.to_be_bytes());
        let attempt = Attempt {
            who: Who::Typed(format!("name {n}").into()),
            password: "a guess".to_owned().into(),
            purpose: Purpose::SignIn { wants_groups: false },
            origin: Origin { remote_ip: Some(address.into()), ..Origin::default() },
            deadline: None,
        };
        path.logins.attempt(attempt, start())
    });
    for answer in futures_util::future::join_all(attempts).await {
        throttled += u32::from(matches!(answer, Ok(Outcome::Throttled(_))));
    }
    // 60 at once and two a second for as long as it takes, on the real clock of the limits.
    assert!(throttled > 9_000, "{throttled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_its_account_once_from_its_network_and_makes_it_known() {
    use sha2::{Digest as _, Sha256};

    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    let (home, abroad) = ([192, 0, 2, 1], [198, 51, 100, 1]);
    let ticket = "lat1_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    sqlx::query(
        "insert into login_tickets (ticket_hash, user_id, network, expires_at)
         select $1, id, '192.0.2.1/32', $2 from users where username_key = 'nohash'",
    )
    .bind(&Sha256::digest(ticket)[..])
    .bind(start() + TimeDelta::seconds(60))
    .execute(&database.pool)
    .await
    .unwrap();
    let used = Ok(Outcome::Refused(RefusalReason::NoPassword));
    let shown = |answer: Result<Outcome, Unavailable>| answer.map_err(|error| error.to_string());
    for (name, address) in [("nohash", abroad), ("nobody", home), ("alice", home)] {
        let answer = path.attempt(name, ticket, address, start()).await.unwrap();
        assert!(!granted(&answer), "{name}");
    }
    assert!(granted(&path.attempt("nohash", ticket, home, start()).await.unwrap()));
    assert_eq!(shown(path.attempt("nohash", ticket, home, start()).await), used, "once");
    database.audited("login.ok", Some("ticket")).await;
    database.audited("login.fail", Some("ticket")).await;
    let known = eventually("a network is known", async || {
        let known: Vec<String> = sqlx::query_scalar("select network::text from known_networks")
            .fetch_all(&database.pool)
            .await
            .unwrap();
        (!known.is_empty()).then_some(known)
    });
    assert_eq!(known.await, ["192.0.2.1/32"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_must_be_changed_opens_nothing_and_its_owner_gets_one_mail() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    sqlx::query("update credentials set must_change = true").execute(&database.pool).await.unwrap();
    let address = [192, 0, 2, 1];
    let wrong = path.attempt("alice", "a guess", address, start()).await.unwrap();
    assert_eq!(wrong, Outcome::Refused(RefusalReason::WrongPassword));
    let mails = async || -> i64 {
        sqlx::query_scalar("select count(*) from due_work where kind = 'mail.must_change'")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    assert_eq!(mails().await, 0);
    for _ in 0..2 {
        let right = path.attempt("alice", PASSWORD, address, start()).await.unwrap();
        assert_eq!(right, Outcome::Refused(RefusalReason::MustChange));
        assert_eq!(mails().await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unproved_address_is_enough_unless_the_configuration_wants_more() {
    let database = Database::with_people().await;
    let address = [192, 0, 2, 1];
    let bob = "another long enough password";
    let path = Path::open(&database, &[]).await;
    assert!(granted(&path.attempt("bob", bob, address, start()).await.unwrap()));
    let path = Path::open(&database, &["--require-verified-email"]).await;
    let answer = path.attempt("bob", bob, address, start()).await.unwrap();
    assert_eq!(answer, Outcome::Refused(RefusalReason::UnverifiedEmail));
    assert!(granted(&path.attempt("alice", PASSWORD, address, start()).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_yesterday_s_kind_is_replaced_at_the_first_success_and_once() {
    let database = Database::with_people().await;
    let path = Path::open(&database, &[]).await;
    sqlx::query(
        "update credentials set scheme = 1, pepper_id = null, password_hash = $1
         from users where users.id = user_id and username_key = 'alice'",
    )
    .bind(bcrypt::hash(PASSWORD, 10).unwrap())
    .execute(&database.pool)
    .await
    .unwrap();
    let stored = async || -> (i16, String) {
        sqlx::query_as(
            "select scheme, password_hash from credentials join users on users.id = user_id
             where username_key = 'alice'",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap()
    };
    let before = stored().await;
    path.attempt("alice", "a guess", [192, 0, 2, 1], start()).await.unwrap();
    assert_eq!(stored().await, before, "never on a failure");
    for address in [[192, 0, 2, 1], [198, 51, 100, 1]] {
        assert!(granted(&path.attempt("alice", PASSWORD, address, start()).await.unwrap()));
    }
    let after = crate::setup::eventually("the hash is replaced", async || {
        Some(stored().await).filter(|stored| stored.0 == 2)
    })
    .await;
    assert!(granted(&path.attempt("alice", PASSWORD, [192, 0, 2, 1], start()).await.unwrap()));
    assert_eq!(stored().await, after);
}

#[tokio::test]
async fn of_two_upgrades_at_once_one_is_written() {
    use auth_connector::password::Credential;

    let database = Database::with_people().await;
    let store = Store::open(&database.dsn.clone().into()).unwrap();
    let (account, scheme, hash, pepper): (uuid::Uuid, i16, String, Option<String>) = sqlx::query_as(
        "select user_id, scheme, password_hash, pepper_id from credentials join users on users.id = user_id
         where username_key = 'alice'",
    )
    .fetch_one(&database.pool)
    .await
    .unwrap();
    let stored = Credential::parse(scheme, &hash, pepper.as_deref()).unwrap();
    let fresh = ["one", "two"].map(|text| bcrypt::hash(text, 10).unwrap());
    let fresh = fresh.map(|hash| Credential::parse(1, &hash, None).unwrap());
    let (one, two) = tokio::join!(
        store.upgrade_password(account.into(), &stored, &fresh[0]),
        store.upgrade_password(account.into(), &stored, &fresh[1])
    );
    assert!(one.unwrap() ^ two.unwrap());
}
