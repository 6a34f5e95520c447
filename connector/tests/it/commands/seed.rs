//! `seed`

use std::fmt::Write as _;

use crate::setup::HASH_OF_ABC;
use crate::setup::commands::{done, json_lines};
use crate::setup::{Connector, Database, PASSWORD, PEOPLE, eventually, text};

const PLAIN: &[&str] = &["--allow-plain-passwords"];

async fn count(database: &Database, table: &'static str) -> i64 {
    let query = match table {
        "users" => "select count(*) from users",
        "credentials" => "select count(*) from credentials",
        _ => "select count(*) from user_groups",
    };
    sqlx::query_scalar(query).fetch_one(&database.pool).await.expect(table)
}

#[tokio::test]
async fn a_second_run_writes_nothing() {
    let database = Database::create().await;
    let first = database.seed(PEOPLE, PLAIN);
    assert!(text(&first).contains("4 created, 0 updated, 0 unchanged"), "{}", text(&first));
    let before: Vec<(String,)> = sqlx::query_as("select users::text || xmin::text from users")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    let second = database.seed(PEOPLE, PLAIN);
    assert!(text(&second).contains("0 created, 0 updated, 4 unchanged"), "{}", text(&second));
    let after: Vec<(String,)> = sqlx::query_as("select users::text || xmin::text from users")
        .fetch_all(&database.pool)
        .await
        .unwrap();
    assert_eq!(before, after, "not a row was touched");
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let database = Database::create().await;
    let output = database.seed(PEOPLE, &["--allow-plain-passwords", "--dry-run"]);
    assert!(output.status.success() && text(&output).contains("would be: 4 created"), "{output:?}");
    assert_eq!(count(&database, "users").await, 0);
}

#[tokio::test]
async fn a_changed_row_changes_the_account_and_keeps_its_id_and_password() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let before = connector.login("alice", PASSWORD).await.identity.unwrap();
    let changed = "users: [{username: ALICE, email: new@example.com, groups: [staff, new], password: an entirely different one}]";
    let output = database.seed(changed, PLAIN);
    assert!(text(&output).contains("0 created, 1 updated, 0 unchanged"), "{}", text(&output));
    let after = connector.login("new@example.com", PASSWORD).await.identity.unwrap();
    assert_eq!(after.user_id, before.user_id);
    assert_eq!(after.groups, ["new", "staff"]);
    assert!(!connector.login("alice", "an entirely different one").await.valid_password);
}

#[tokio::test]
async fn two_runs_at_once_make_no_duplicates() {
    let database = Database::create().await;
    let outputs = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| database.seed(PEOPLE, PLAIN))).collect();
        runs.into_iter().map(|run| run.join().expect("it runs")).collect::<Vec<_>>()
    });
    for output in &outputs {
        assert!(output.status.success(), "{}", text(output));
    }
    let created = outputs.iter().filter(|output| text(output).contains("4 created")).count();
    assert_eq!(created, 1);
    assert_eq!(count(&database, "users").await, 4);
    assert_eq!(count(&database, "credentials").await, 3);
    assert_eq!(count(&database, "user_groups").await, 2);
}

#[tokio::test]
async fn a_bad_row_is_named_and_nothing_is_written() {
    let database = Database::with_people().await;
    for (yaml, named) in [
        ("users: [{username: new}, {username: 'a@b'}]", "row 2: username"),
        ("users: [{username: new}, {username: b, email: ALICE@example.com}]", "row 2: email"),
        ("users: [{username: new}, {username: b, password: plain}]", "row 2: password"),
        ("users: [{username: new, unknown_field: 1}]", "unknown_field"),
        ("users: [{username: new}, {username: b, id: nonsense}]", "row 2: id must be a UUID"),
        (
            "users: [{username: new}, {username: b, id: 01a20d3a-9c8b-71a7-b051-2b64601475f5}]",
            "row 2: id belongs to no account",
        ),
    ] {
        let output = database.seed(yaml, &[]);
        assert_eq!(output.status.code(), Some(1), "{yaml}");
        assert_eq!(text(&output).matches(named).count(), 1, "{yaml}: {}", text(&output));
        assert_eq!(count(&database, "users").await, 4, "{yaml}");
    }
}

#[tokio::test]
async fn all_bad_rows_are_named_at_once_whoever_finds_them() {
    let database = Database::with_people().await;
    let yaml = "
users:
  - { username: new, username: newer }
  - { username: b, email: ALICE@example.com }
  - { username: c, pasword: canary }
  - { username: d, id: 01a20d3a-9c8b-71a7-b051-2b64601475f5 }
  - { username: 'a@b', email: nohash@example.com }
  - { username: new }
";
    let output = database.seed(yaml, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    for named in [
        "row 1: username is there more than once",
        "row 2: email belongs to another account",
        "row 3: pasword is no field of an account",
        "row 4: id belongs to no account",
        "row 5: username must not contain @",
        "row 5: email belongs to another account",
        "row 6: username stands in an earlier row",
    ] {
        assert_eq!(text(&output).matches(named).count(), 1, "{named}: {}", text(&output));
    }
    assert_eq!(text(&output).matches("row ").count(), 7, "{}", text(&output));
    assert!(!text(&output).contains("canary"), "{}", text(&output));
    assert_eq!(count(&database, "users").await, 4);
}

#[tokio::test]
async fn accounts_may_swap_names_and_addresses_in_any_order_of_the_rows() {
    let database = Database::create().await;
    let first = "users: [{username: ada, email: a@x.y}, {username: ben, email: b@x.y}, {username: cy, email: c@x.y}]";
    assert!(database.seed(first, &[]).status.success());
    let ids = async || -> Vec<(String, uuid::Uuid, Option<String>)> {
        sqlx::query_as("select username, id, email from users order by username")
            .fetch_all(&database.pool)
            .await
            .unwrap()
    };
    let before = ids().await;
    let [ada, ben, cy] = [0, 1, 2].map(|n: usize| before[n].1);
    let run = |rows: &[String]| {
        let output = database.seed(&format!("users: [{}]", rows.join(", ")), &[]);
        assert_eq!(output.status.code(), Some(0), "{rows:?}: {}", text(&output));
        text(&output)
    };

    // Addresses, found by user name: once around, forwards and backwards.
    let around = ["ada", "ben", "cy"].iter().zip(["b@x.y", "c@x.y", "a@x.y"]);
    let mut rows: Vec<String> =
        around.map(|(name, email)| format!("{{username: {name}, email: {email}}}")).collect();
    assert!(run(&rows).contains("3 updated"));
    rows.reverse();
    assert!(run(&rows).contains("3 unchanged"));
    let back = ["cy", "ben", "ada"].iter().zip(["c@x.y", "b@x.y", "a@x.y"]);
    let back: Vec<String> =
        back.map(|(name, email)| format!("{{username: {name}, email: {email}}}")).collect();
    assert!(run(&back).contains("3 updated"));
    assert_eq!(ids().await, before);

    // Names, found by id; the one that becomes free goes to a new account, in a row before.
    let mut rows = vec![
        "{username: cy, email: new@x.y}".to_owned(),
        format!("{{id: {ada}, username: ben, email: a@x.y}}"),
        format!("{{id: {ben}, username: ada, email: b@x.y}}"),
        format!("{{id: {cy}, username: dee, email: c@x.y}}"),
    ];
    assert!(run(&rows).contains("1 created, 3 updated"));
    let now = ids().await;
    let named = |name: &str| now.iter().find(|(username, ..)| username == name).unwrap().1;
    assert_eq!((named("ada"), named("ben"), named("dee")), (ben, ada, cy));
    assert!(![ada, ben, cy].contains(&named("cy")));
    rows.reverse();
    assert!(run(&rows).contains("0 created, 0 updated, 4 unchanged"));

    // What somebody keeps is still nobody else's.
    let output = database.seed(&format!("users: [{{id: {ada}, username: dee}}]"), &[]);
    assert!(text(&output).contains("row 1: username belongs to another account"), "{output:?}");
}

#[tokio::test]
async fn a_file_with_a_byte_order_mark_is_read() {
    let database = Database::create().await;
    for yaml in [
        "\u{feff}users: [{username: a}]",
        "\u{feff}users:\r\n  - username: a\r\n",
        "\u{feff}# people\nusers: [{username: a}]",
        "\u{feff}---\nusers: [{username: a}]",
    ] {
        let output = database.seed(yaml, &[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    }
    let hash = format!("\u{feff}{HASH_OF_ABC}\n");
    let output = crate::setup::commands::fed(
        &database,
        &["users", "create", "b", "--full-name", "  ", "--password-hash-stdin"],
        &hash,
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(json_lines(&database, &["users", "show", "b", "--json"])[0]["full_name"], "");
}

#[tokio::test]
async fn migrations_may_run_again_and_at_once() {
    let database = Database::create().await;
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| database.command(&["migrate"]).output().expect("it runs")))
            .collect();
        for run in runs {
            let output = run.join().expect("it runs");
            assert!(output.status.success(), "{}", text(&output));
        }
    });
}

#[tokio::test]
async fn a_seed_file_does_not_enable_what_an_operator_disabled_unless_it_says_so() {
    let database = Database::with_people().await;
    done(&database, &["users", "disable", "alice"]);
    let active = async || -> bool {
        sqlx::query_scalar("select is_active from users where username_key = 'alice'")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    let silent = database.seed("users: [{username: alice}]", &[]);
    assert!(silent.status.success() && !active().await, "{}", text(&silent));
    let explicit = database.seed("users: [{username: alice, is_active: true}]", &[]);
    assert!(explicit.status.success() && active().await, "{}", text(&explicit));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_disabled_that_is_disabled_while_a_seed_runs() {
    let database = Database::with_people().await;
    let mut operator = database.pool.begin().await.unwrap();
    sqlx::query("update users set is_active = false where username_key = 'alice'")
        .execute(&mut *operator)
        .await
        .unwrap();
    let seeded = std::thread::scope(|scope| {
        let seed = scope.spawn(|| database.seed("users: [{username: alice}]", &[]));
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                eventually("the seed waits for the operator", async || {
                    sqlx::query_scalar::<_, i32>(
                        "select 1 from pg_stat_activity
                         where datname = current_database() and wait_event_type = 'Lock'",
                    )
                    .fetch_optional(&database.pool)
                    .await
                    .expect("an answer")
                })
                .await;
                operator.commit().await.unwrap();
            });
        });
        seed.join().expect("it runs")
    });
    assert!(text(&seeded).contains("1 updated"), "{}", text(&seeded));
    let shown = &json_lines(&database, &["users", "show", "alice", "--json"])[0];
    assert_eq!(shown["is_active"], false);
}

#[tokio::test]
async fn an_account_that_the_file_disables_is_refused_and_its_sessions_end() {
    let database = Database::with_people().await;
    let file = "users: [{username: Alice, is_active: false}]";
    let output = database.seed(file, &[]);
    assert!(text(&output).contains("1 updated"), "{}", text(&output));
    let shown = &json_lines(&database, &["users", "show", "alice", "--json"])[0];
    assert_eq!((&shown["is_active"], &shown["auth_epoch"]), (&false.into(), &1.into()));
    assert_eq!(shown["pending_revocations"], 1);
    let again = database.seed(file, &[]);
    assert!(text(&again).contains("1 unchanged"), "{}", text(&again));
}

#[tokio::test]
async fn a_row_with_an_id_renames_the_account_and_keeps_its_id_and_password() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let before = connector.login("alice", PASSWORD).await.identity.unwrap();
    let renamed = format!(
        "users: [{{id: {}, username: alicia, email: a@example.com, email_verified: true}}]",
        before.user_id
    );
    let output = database.seed(&renamed, &[]);
    assert!(text(&output).contains("0 created, 1 updated"), "{}", text(&output));
    let after = connector.login("alicia", PASSWORD).await.identity.unwrap();
    assert_eq!((after.user_id, &*after.email), (before.user_id, "a@example.com"));
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    let again = database.seed(&renamed, &[]);
    assert!(text(&again).contains("1 unchanged"), "{}", text(&again));
}

#[tokio::test]
async fn a_password_is_replaced_only_by_force_and_then_sessions_end() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let file = format!("users: [{{username: bob, password_hash: {HASH_OF_ABC}}}]");
    let output = database.seed(&file, &[]);
    assert!(text(&output).contains("1 unchanged"), "{}", text(&output));
    let output = database.seed(&file, &["--force-passwords"]);
    assert!(text(&output).contains("1 updated"), "{}", text(&output));
    let shown = &json_lines(&database, &["users", "show", "bob", "--json"])[0];
    assert_eq!((&shown["auth_epoch"], &shown["pending_revocations"]), (&1.into(), &1.into()));
    let again = database.seed(&file, &["--force-passwords"]);
    assert!(text(&again).contains("1 unchanged"), "the hash is that of the file: {}", text(&again));
    assert!(connector.login("bob", "abc").await.valid_password);
    assert!(!connector.login("bob", "another long enough password").await.valid_password);
}

#[tokio::test]
async fn hashes_are_seeded_without_a_pepper() {
    let database = Database::create().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, format!("users: [{{username: a, password_hash: {HASH_OF_ABC}}}]"))
        .unwrap();
    let mut seed = database.command(&["seed", "--file", path]);
    let output = seed.env_remove("PEPPER_FILE").output().expect("it runs");
    assert!(text(&output).contains("1 created"), "{}", text(&output));
    std::fs::write(path, "users: [{username: b, password: a plain one}]").unwrap();
    let mut seed = database.command(&["seed", "--file", path, "--allow-plain-passwords"]);
    let output = seed.env_remove("PEPPER_FILE").output().expect("it runs");
    assert_eq!(output.status.code(), Some(64), "{}", text(&output));
    assert!(text(&output).contains("PEPPER_FILE"), "{}", text(&output));
}

#[tokio::test]
async fn ten_thousand_rows_are_seeded_and_a_second_run_writes_nothing() {
    let database = Database::create().await;
    let mut yaml = String::from("users:\n");
    for n in 0..10_000 {
        let _ = writeln!(
            yaml,
            "  - {{ username: u{n}, email: u{n}@example.com, groups: [all], password_hash: {HASH_OF_ABC} }}"
        );
    }
    let first = database.seed(&yaml, &[]);
    assert!(text(&first).contains("10000 created"), "{}", text(&first));
    let rows = "select md5(string_agg(users::text || users.xmin::text || credentials.xmin::text, ''
                                      order by users.id))
                from users join credentials on users.id = user_id";
    let before: String = sqlx::query_scalar(rows).fetch_one(&database.pool).await.unwrap();
    let second = database.seed(&yaml, &[]);
    assert!(text(&second).contains("0 created, 0 updated, 10000 unchanged"), "{}", text(&second));
    let after: String = sqlx::query_scalar(rows).fetch_one(&database.pool).await.unwrap();
    assert_eq!(before, after, "not a row was touched");
}

#[tokio::test]
async fn a_run_leaves_in_the_trail_what_it_did_and_a_dry_one_nothing() {
    let database = Database::create().await;
    let events = async || -> Vec<String> {
        sqlx::query_scalar("select event from audit_events order by at, event")
            .fetch_all(&database.pool)
            .await
            .unwrap()
    };
    let row = |more: &str| format!("users: [{{username: ada{more}}}]");
    database.seed(&row(", password: the first one"), &["--allow-plain-passwords", "--dry-run"]);
    assert!(events().await.is_empty());

    let mut told = vec!["account.created"];
    database.seed(&row(", password: the first one"), PLAIN);
    database.seed(&row(", password: the first one"), PLAIN);
    assert_eq!(events().await, told);
    database.seed(&row(", is_active: false"), PLAIN);
    told.extend(["account.changed", "account.disabled"]);
    assert_eq!(events().await, told);
    let forced = &["--allow-plain-passwords", "--force-passwords"];
    database.seed(&row(", is_active: true, password: another one"), forced);
    told.extend(["account.changed", "account.enabled", "account.password_set"]);
    assert_eq!(events().await, told);
}
