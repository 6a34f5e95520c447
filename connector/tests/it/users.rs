use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::connector::{Connector, Database, PASSWORD, text};

/// bcrypt of `abc` at cost 10.
const HASH_OF_ABC: &str = "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi";

fn run(database: &Database, arguments: &[&str]) -> Output {
    database.command(arguments).stdin(Stdio::null()).output().expect("it runs")
}

fn fed(database: &Database, arguments: &[&str], input: &str) -> Output {
    let mut command = database.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

/// What a command that must succeed answered.
fn done(database: &Database, arguments: &[&str]) -> String {
    let output = run(database, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(database: &Database, arguments: &[&str]) -> Vec<Value> {
    let answer = done(database, arguments);
    answer.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn accounts_are_listed_in_order_page_by_page_and_by_group() {
    let database = Database::with_people().await;
    let table = done(&database, &["users", "list"]);
    assert!(table.starts_with("USER NAME"), "{table}");
    let names = |arguments: &[&str]| -> Vec<String> {
        let rows = json(&database, arguments);
        rows.iter().map(|row| row["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["users", "list", "--json"]), ["Alice", "bob", "eve", "nohash"]);
    let page = ["users", "list", "--json", "--limit", "2", "--after", "ALICE"];
    assert_eq!(names(&page), ["bob", "eve"]);
    assert_eq!(names(&["users", "list", "--json", "--group", "staff"]), ["Alice"]);
    assert_eq!(names(&["users", "list", "--json", "--disabled"]), ["eve"]);
}

#[tokio::test]
async fn an_account_is_found_by_each_of_its_names_and_shown_without_its_hash() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let id = connector.login("alice", PASSWORD).await.identity.unwrap().user_id;
    database.audited("login.ok", None).await;
    for name in ["alice", "ALICE@example.com", &id] {
        let shown = done(&database, &["users", "show", name]);
        assert!(shown.contains(&id) && shown.contains("Alice Archer"), "{shown}");
        assert!(shown.contains("scheme 2, cost 10, pepper"), "{shown}");
        assert!(shown.contains("open, 0 failures"), "{shown}");
        assert!(shown.contains("203.0.113.7/32") && shown.contains("login.ok"), "{shown}");
        assert!(!shown.contains("$2"), "{shown}");
    }
    let shown = &json(&database, &["users", "show", "alice", "--json"])[0];
    assert_eq!(shown["groups"], serde_json::json!(["admins", "staff"]));
    assert_eq!(shown["known_networks"][0]["network"], "203.0.113.7/32");
    let nobody = run(&database, &["users", "show", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2), "{}", text(&nobody));
    assert!(text(&nobody).contains("no such account"));
}

#[tokio::test]
async fn a_created_account_signs_in_with_the_hash_from_standard_input() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let create = ["users", "create", "Carol", "--email", "carol@example.com", "--group", "staff"];
    let output = fed(&database, &[&create[..], &["--password-hash-stdin"]].concat(), HASH_OF_ABC);
    assert!(output.status.success(), "{}", text(&output));
    let carol = connector.login("carol@example.com", "abc").await.identity.unwrap();
    assert_eq!(carol.groups, ["staff"]);
    assert!(text(&output).contains(&carol.user_id), "{}", text(&output));
    database.audited("account.created", None).await;

    for (arguments, reason) in [
        (&["users", "create", "carol"][..], "belongs to another account"),
        (&["users", "create", "dave", "--email", "CAROL@example.com"], "another account"),
        (&["users", "create", "d@ve"], "must not contain @"),
        (&["users", "create", "dave", "--email", "nonsense"], "must be an e-mail address"),
        (&["users", "create", "dave", "--group", ""], "--group"),
    ] {
        let output = run(&database, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(reason), "{arguments:?}: {}", text(&output));
    }
    let wrong = ["users", "create", "dave", "--password-hash-stdin"];
    let output = fed(&database, &wrong, "canary-password");
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output).contains("canary"), "{}", text(&output));
    let names = json(&database, &["users", "list", "--json"]).len();
    assert_eq!(names, 5, "nothing of what was refused is there");
}

#[tokio::test]
async fn a_disabled_account_is_refused_until_it_is_enabled_and_its_sessions_end() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    assert!(done(&database, &["users", "disable", "alice"]).contains("is disabled"));
    assert!(done(&database, &["users", "disable", "alice"]).contains("already"));
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    let wishes: i64 = sqlx::query_scalar("select count(*) from revocations")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(wishes, 1, "the second time wrote nothing");
    assert!(done(&database, &["users", "enable", "alice"]).contains("is enabled"));
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    database.audited("account.disabled", None).await;
    database.audited("account.enabled", None).await;
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

#[tokio::test]
async fn an_unlocked_account_is_open_to_strangers_again() {
    let database = Database::with_people().await;
    sqlx::query(
        "insert into login_guard (guard_key, network, failures, last_failure_at, last_charge_at)
         select guard_key, '::/0', 60, now(), now() from users where username_key = 'alice'",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let connector = Connector::start(&database.dsn).await;
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    assert!(done(&database, &["users", "show", "alice"]).contains("closed, 60 failures"));
    assert!(done(&database, &["users", "unlock", "alice"]).contains("is unlocked"));
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    assert!(done(&database, &["users", "unlock", "alice"]).contains("already"));
    database.audited("account.unlocked", None).await;
}

#[tokio::test]
async fn an_account_is_deleted_only_after_a_yes_and_its_trail_stays() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    let unasked = run(&database, &["users", "delete", "alice"]);
    assert_eq!(unasked.status.code(), Some(1));
    assert!(text(&unasked).contains("--yes"), "{}", text(&unasked));
    done(&database, &["users", "delete", "alice", "--yes"]);
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    assert_eq!(run(&database, &["users", "show", "alice"]).status.code(), Some(2));
    assert!(database.audited("account.deleted", None).await.user_id.is_some());
    database.audited("login.ok", None).await;
}

#[tokio::test]
async fn groups_are_shown_and_changed() {
    let database = Database::with_people().await;
    assert_eq!(done(&database, &["users", "groups", "alice"]), "admins\nstaff\n");
    let change = ["users", "groups", "alice", "--add", "new", "--remove", "admins"];
    assert!(done(&database, &change).ends_with("new\nstaff\n"));
    assert_eq!(done(&database, &change), "new\nstaff\n", "nothing to do");
    database.audited("account.groups_changed", None).await;
}

#[tokio::test]
async fn ten_thousand_rows_are_seeded_and_a_second_run_writes_nothing() {
    use std::fmt::Write as _;

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
async fn the_trail_is_shown_by_event_account_network_and_time() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    connector.login("alice", "a guess").await;
    database.audited("login.fail", Some("wrong_password")).await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    connector.login("nobody", PASSWORD).await;
    database.audited("login.fail", Some("unknown_name")).await;
    database.audited("login.ok", None).await;
    let events = |arguments: &[&str]| -> Vec<String> {
        let lines = json(&database, &[&["audit", "tail", "--json"], arguments].concat());
        lines.iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(events(&[]), ["login.fail", "login.ok", "login.fail"], "the newest last");
    assert_eq!(events(&["--limit", "1"]), ["login.fail"]);
    assert_eq!(events(&["--event", "login.ok"]), ["login.ok"]);
    assert_eq!(events(&["--reason", "unknown_name"]), ["login.fail"]);
    assert_eq!(events(&["--user", "alice@example.com"]), ["login.fail", "login.ok"]);
    assert_eq!(events(&["--network", "203.0.113.0/24", "--since", "1h"]).len(), 3);
    assert!(events(&["--network", "198.51.100.0/24"]).is_empty());
    assert!(events(&["--since", "2999-01-01T00:00:00Z"]).is_empty());
    let table = done(&database, &["audit", "tail"]);
    assert!(table.starts_with("TIME") && table.contains("wrong_password"), "{table}");
    for (option, value) in [("--since", "yesterday"), ("--network", "nonsense")] {
        let output = run(&database, &["audit", "tail", option, value]);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
        assert!(text(&output).contains(option), "{}", text(&output));
    }
}

#[tokio::test]
async fn the_trail_is_followed_until_interrupted() {
    use std::io::{BufRead as _, BufReader};

    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let mut command = database.command(&["audit", "tail", "--follow", "--json"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    connector.login("alice", "a guess").await;
    connector.login("nobody", "a guess").await;
    let reading = tokio::task::spawn_blocking(move || [lines.next(), lines.next()]);
    let mut reasons: Vec<String> = reading
        .await
        .unwrap()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap().unwrap()).unwrap())
        .map(|line| line["reason"].as_str().unwrap().to_owned())
        .into();
    reasons.sort();
    assert_eq!(reasons, ["unknown_name", "wrong_password"], "each once");
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    assert!(child.wait().unwrap().success());
}
