//! `users`

use serde_json::json;

use crate::setup::commands::{done, fed, json_lines, run};
use crate::setup::role;
use crate::setup::{Connector, Database, HASH_OF_ABC, PASSWORD, PEOPLE, text};

#[tokio::test]
async fn accounts_are_listed_in_order_page_by_page_and_by_group() {
    let database = Database::with_people().await;
    let table = done(&database, &["users", "list"]);
    assert!(table.starts_with("USER NAME"), "{table}");
    let names = |arguments: &[&str]| -> Vec<String> {
        let rows = json_lines(&database, arguments);
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
    let shown = &json_lines(&database, &["users", "show", "alice", "--json"])[0];
    assert_eq!(shown["groups"], json!(["admins", "staff"]));
    assert_eq!(shown["auth_epoch"], 0);
    assert_eq!(shown["lockout"], json!({"state": "open", "failures": 0, "until": null}));
    assert_eq!(shown["known_networks"][0]["network"], "203.0.113.7/32");
    assert_eq!(shown["known_networks"][0]["lockout"]["state"], "open");
    assert_eq!(shown["events"][0]["event"], "login.ok");
    assert!(!shown.to_string().contains("$2"), "{shown}");
    let nobody = run(&database, &["users", "show", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2), "{}", text(&nobody));
    assert!(text(&nobody).contains("no such account"));
}

#[tokio::test]
async fn an_account_without_a_user_name_is_named_by_its_address() {
    let database = Database::with_people().await;
    sqlx::query(
        "update users set username = null, username_key = null where username_key = 'alice'",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    let connector = Connector::start(&database.dsn).await;
    let alice = connector.login("alice@example.com", PASSWORD).await.identity.unwrap();
    assert_eq!((&*alice.username, &*alice.preferred_username), ("Alice Archer", ""));
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    let rows = json_lines(&database, &["users", "list", "--json"]);
    let names: Vec<_> = rows.iter().map(|row| &row["username"]).collect();
    assert_eq!(names, [&json!(null), &json!("bob"), &json!("eve"), &json!("nohash")]);
    let page = ["users", "list", "--json", "--limit", "1", "--after", "alice@example.com"];
    assert_eq!(json_lines(&database, &page)[0]["username"], "bob");
    assert!(done(&database, &["users", "show", "alice@example.com"]).contains(&alice.user_id));
    let seeded = database.seed(
        &format!("users: [{{id: {}, username: al, email: bob@example.com}}]", alice.user_id),
        &[],
    );
    assert!(text(&seeded).contains("1 updated"), "{}", text(&seeded));
    let alice = connector.login("al", PASSWORD).await.identity.unwrap();
    assert_eq!(&*alice.preferred_username, "al");
}

#[tokio::test]
async fn an_id_is_never_taken_for_the_user_name_of_somebody_else() {
    let database = Database::with_people().await;
    let alice = json_lines(&database, &["users", "show", "alice", "--json"])[0].clone();
    let id = alice["id"].as_str().unwrap();
    done(&database, &["users", "create", id]);
    // Written last, alice's row is found last by who looks at one row after the other.
    done(&database, &["users", "groups", "alice", "--add", "late"]);
    done(&database, &["users", "disable", "alice"]);
    let shown = &json_lines(&database, &["users", "show", id, "--json"])[0];
    assert_eq!(shown["username"], "Alice");
}

#[tokio::test]
async fn locked_accounts_are_listed_with_the_end_of_their_lock_page_by_page() {
    let database = Database::with_people().await;
    for (name, failures) in [("alice", 9), ("bob", 10), ("eve", 12), ("nohash", 60)] {
        fail(&database, name, failures).await;
    }
    let rows = json_lines(&database, &["users", "list", "--locked", "--json"]);
    let names: Vec<_> = rows.iter().map(|row| row["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["bob", "nohash"], "twelve failures are past the first pause");
    assert_eq!(rows[0]["lockout"]["state"], "paused");
    assert!(rows[0]["lockout"]["until"].is_string(), "{rows:?}");
    assert_eq!(rows[1]["lockout"], json!({"state": "closed", "failures": 60, "until": null}));
    // eve is on the page that the database yields, and makes room for the next.
    let page = ["users", "list", "--locked", "--json", "--limit", "1", "--after", "bob"];
    assert_eq!(json_lines(&database, &page)[0]["username"], "nohash");
    let table = done(&database, &["users", "list", "--locked", "--limit", "1"]);
    assert!(table.contains("LOCKED UNTIL") && table.lines().count() == 2, "{table}");
}

/// Makes it look as if strangers had failed so often on the account.
async fn fail(database: &Database, name: &str, failures: i32) {
    sqlx::query(
        "insert into login_guard (guard_key, network, failures, last_failure_at, last_charge_at)
         select guard_key, '::/0', $2, now(), now() from users where username_key = $1",
    )
    .bind(name)
    .bind(failures)
    .execute(&database.pool)
    .await
    .expect("it is written");
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

    for (arguments, code, reason) in [
        (&["users", "create", "carol"][..], 1, "NAME: username belongs to another account"),
        (&["users", "create", "dave", "--email", "CAROL@example.com"], 1, "--email: email belongs"),
        (&["users", "create", "d@ve"], 64, "<NAME>': must not contain @"),
        (&["users", "create", "dave", "--email", "nonsense"], 64, "--email"),
        (&["users", "create", "dave", "--group", ""], 64, "--group"),
        (&["users", "create", "dave", "--full-name", "a\nb"], 64, "--full-name"),
        (&["users", "create", "dave", "--must-change"], 64, "--password-hash-stdin"),
    ] {
        let output = run(&database, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(reason), "{arguments:?}: {}", text(&output));
    }
    let wrong = ["users", "create", "dave", "--password-hash-stdin"];
    let output = fed(&database, &wrong, "canary-password");
    assert_eq!(output.status.code(), Some(1));
    assert!(!text(&output).contains("canary"), "{}", text(&output));
    let names = json_lines(&database, &["users", "list", "--json"]).len();
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
    let wishes: i64 = sqlx::query_scalar("select count(*) from due_work where kind = 'revocation'")
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
async fn an_unlocked_account_is_open_to_strangers_again() {
    let database = Database::with_people().await;
    fail(&database, "alice", 60).await;
    let connector = Connector::start(&database.dsn).await;
    assert!(!connector.login("alice", PASSWORD).await.valid_password);
    assert!(done(&database, &["users", "show", "alice"]).contains("closed, 60 failures"));
    assert!(done(&database, &["users", "unlock", "alice"]).contains("is unlocked"));
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    assert!(done(&database, &["users", "unlock", "alice"]).contains("already"));
    database.audited("account.unlocked", None).await;
}

#[tokio::test]
async fn failures_of_attempts_whose_process_died_are_forgotten_too() {
    let database = Database::with_people().await;
    sqlx::query(
        "insert into login_guard (guard_key, network, pending, last_charge_at)
         select guard_key, '::/0', array_fill(
                    row(gen_random_uuid(), now() - interval '31 s')::guard_charge, array[60]), now()
         from users where username_key = 'alice'",
    )
    .execute(&database.pool)
    .await
    .unwrap();
    assert!(done(&database, &["users", "show", "alice"]).contains("closed, 60 failures"));
    assert!(done(&database, &["users", "unlock", "alice"]).contains("is unlocked"));
    assert!(done(&database, &["users", "show", "alice"]).contains("open, 0 failures"));
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
    let both = run(&database, &["users", "groups", "alice", "--add", "a", "--remove", "a"]);
    assert_eq!(both.status.code(), Some(64), "{}", text(&both));
    assert!(text(&both).contains("--add and --remove"), "{}", text(&both));
    let lines = json_lines(&database, &["audit", "tail", "--json"]);
    assert_eq!(lines.len(), 1, "what changed nothing is not told: {lines:?}");
    assert_eq!(lines[0]["event"], "account.groups_changed");
}

#[tokio::test]
async fn what_an_operator_changes_is_changed_with_its_line_of_the_trail_or_not_at_all() {
    let database = Database::with_people().await;
    fail(&database, "alice", 10).await;
    for sql in [
        "create function refuse() returns trigger language plpgsql
         as $$ begin raise exception 'no room for the trail'; end $$",
        "create trigger refuse before insert on audit_events for each row execute function refuse()",
    ] {
        sqlx::query(sql).execute(&database.pool).await.unwrap();
    }
    let accounts = || json_lines(&database, &["users", "list", "--json"]);
    let locked = || json_lines(&database, &["users", "list", "--locked", "--json"]).len();
    let (before, changes) = (
        accounts(),
        [
            &["users", "create", "carol", "--group", "staff"][..],
            &["users", "disable", "alice"],
            &["users", "enable", "eve"],
            &["users", "unlock", "alice"],
            &["users", "groups", "alice", "--add", "new"],
            &["users", "delete", "alice", "--yes"],
        ],
    );
    for arguments in changes {
        let output = run(&database, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output));
        assert_eq!(accounts(), before, "{arguments:?}");
        assert_eq!(locked(), 1, "{arguments:?}");
    }
    let ended: i64 = sqlx::query_scalar("select count(*) from due_work where kind = 'revocation'")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(ended, 0, "no session was ended either");

    sqlx::query("drop trigger refuse on audit_events").execute(&database.pool).await.unwrap();
    for arguments in changes {
        done(&database, arguments);
    }
    let lines = json_lines(&database, &["audit", "tail", "--json"]);
    assert_eq!(lines.len(), changes.len(), "one line for each: {lines:?}");
}

#[tokio::test]
async fn the_service_role_may_run_every_command() {
    let mut database = Database::with_people().await;
    let (name, dsn) = role(&database).await;
    done(&database, &["migrate", "--service-role", &name]);
    database.dsn = dsn;
    for arguments in [
        &["users", "list", "--locked"][..],
        &["users", "create", "carol", "--group", "staff"],
        &["users", "groups", "carol", "--add", "new", "--remove", "staff"],
        &["users", "disable", "carol"],
        &["users", "enable", "carol"],
        &["users", "unlock", "carol"],
        &["users", "show", "carol"],
        &["users", "delete", "carol", "--yes"],
        &["audit", "tail"],
    ] {
        done(&database, arguments);
    }
    let forced = ["--allow-plain-passwords", "--force-passwords"];
    let seeded = database.seed(PEOPLE, &forced);
    assert!(text(&seeded).contains("3 updated, 1 unchanged"), "{}", text(&seeded));
}
