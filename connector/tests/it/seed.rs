use crate::connector::{Connector, Database, PASSWORD, PEOPLE, text};

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
    ] {
        let output = database.seed(yaml, &[]);
        assert_eq!(output.status.code(), Some(1), "{yaml}");
        assert!(text(&output).contains(named), "{yaml}: {}", text(&output));
        assert_eq!(count(&database, "users").await, 4, "{yaml}");
    }
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
