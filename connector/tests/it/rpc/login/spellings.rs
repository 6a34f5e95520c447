//! Names that look alike, from where accounts are made to where they sign in.

use auth_proto::connector::v1::LoginResponse;

use crate::setup::commands::{done, json_lines, run};
use crate::setup::{Connector, Database, PASSWORD, PEOPLE, text};

#[tokio::test]
async fn an_account_that_looks_like_another_is_neither_created_nor_seeded() {
    let database = Database::with_people().await;
    for (name, reason) in [
        ("ali\u{200b}ce", "invisible"),
        ("alice\u{ad}", "invisible"),
        ("alice\u{202e}", "invisible"),
        ("\u{200b}", "invisible"),
        ("\u{2800}", "empty"),
        ("\u{430}lice", "scripts"),
    ] {
        let created = run(&database, &["users", "create", name]);
        assert_eq!(created.status.code(), Some(64), "{name:?}: {}", text(&created));
        assert!(text(&created).contains(reason), "{name:?}: {}", text(&created));
        let seeded = database.seed(&format!("users:\n  - username: \"{name}\"\n"), &[]);
        assert!(!seeded.status.success(), "{name:?}: {}", text(&seeded));
        assert!(text(&seeded).contains(reason), "{name:?}: {}", text(&seeded));
    }
    let taken = run(&database, &["users", "create", "ＡＬＩＣＥ"]);
    assert_eq!(taken.status.code(), Some(1), "{}", text(&taken));
    assert_eq!(json_lines(&database, &["users", "list", "--json"]).len(), 4);
}

#[tokio::test]
async fn an_address_is_one_whatever_its_spelling() {
    let database = Database::with_people().await;
    done(&database, &["users", "create", "uwe", "--email", "Uwe@m\u{fc}nchen.de"]);
    for spelling in ["Uwe@m\u{fc}nchen.de", "uwe@XN--MNCHEN-3YA.de", "uwe\u{ff20}mu\u{308}nchen.de"]
    {
        let other = run(&database, &["users", "create", "other", "--email", spelling]);
        assert_eq!(other.status.code(), Some(1), "{spelling}: {}", text(&other));
        let shown = &json_lines(&database, &["users", "show", spelling, "--json"])[0];
        assert_eq!(shown["username"], "uwe", "{spelling}");
        assert_eq!(shown["email"], "Uwe@xn--mnchen-3ya.de", "one form is told");
    }
    let hidden = run(&database, &["users", "create", "other", "--email", "u@exam\u{200b}ple.com"]);
    assert_eq!(hidden.status.code(), Some(64), "{}", text(&hidden));
}

/// Makes an account's names what an earlier version stored.
async fn stored_before(database: &Database, name: &str, username: &str, email: &str) {
    sqlx::query(
        "update users set username = $2, username_key = $2, email = $3, email_key = $3
         where username_key = $1",
    )
    .bind(name)
    .bind(username)
    .bind(email)
    .execute(&database.pool)
    .await
    .expect("it is written");
}

#[tokio::test]
async fn names_of_earlier_versions_are_found_as_they_are_written_once_the_tables_are_up_to_date() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    stored_before(&database, "alice", "نر\u{200c}گس", "n@m\u{fc}nchen.de").await;
    stored_before(&database, "nohash", "bo\u{200b}b", "b@example.com").await;
    let migrated = run(&database, &["migrate"]);
    assert!(migrated.status.success(), "{}", text(&migrated));
    for name in ["نر\u{200c}گس", "نرگس", "n@m\u{fc}nchen.de", "n@xn--mnchen-3ya.de"] {
        assert!(connector.login(name, PASSWORD).await.valid_password, "{name}");
    }
    // Who looks like bob does not become bob, and an operator learns of it.
    assert!(connector.login("bob", "another long enough password").await.valid_password);
    assert!(text(&migrated).contains("found by its id only"), "{}", text(&migrated));
    assert!(!text(&migrated).contains("bo\u{200b}b"), "{}", text(&migrated));
    assert_eq!(connector.login("b@example.com", "a guess").await, LoginResponse::default());
    let again = run(&database, &["migrate"]);
    assert!(again.status.success(), "{}", text(&again));
    let seeded = database.seed(PEOPLE, &["--allow-plain-passwords"]);
    assert!(text(&seeded).contains("2 created"), "{}", text(&seeded));
}
