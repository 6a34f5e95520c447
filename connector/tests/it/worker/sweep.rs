//! What the worker removes

use auth_connector::app::App;
use auth_connector::cli::{Cli, Command};
use auth_connector::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser as _;
use devstack::pki::Pki;
use service_process::lifecycle::Lifecycle;
use service_process::sources::Sources;

use crate::setup::{Database, eventually};

/// Every row that the sweep could touch, with its age in minutes.
const ROWS: &[&str] = &[
    // Networks from which Alice is known: on the 91st day, and on the 90th.
    "insert into known_networks select id, '192.0.2.1', $1 - interval '90 days 1 minute'
     from users where username_key = 'alice'",
    "insert into known_networks select id, '192.0.2.2', $1 - interval '89 days'
     from users where username_key = 'alice'",
    // Her rows: as a stranger, of a network that is known, of one that ends today, of one that does
    // not exist.
    "insert into login_guard select guard_key, network::cidr, 3, null, '{}', $1 - interval '30 days'
     from users, unnest(array['::/0', '192.0.2.1', '192.0.2.2', '192.0.2.3']) as network
     where username_key = 'alice'",
    // Names that belong to nobody: a day ago, and less than that.
    "insert into login_guard values ('\\x01', '::/0', 3, null, '{}', $1 - interval '24 hours 2 minutes')",
    "insert into login_guard values ('\\x02', '::/0', 3, null, '{}', $1 - interval '23 hours 59 minutes')",
    "insert into login_tickets select '\\x01', id, '192.0.2.2', $1 - interval '25 hours', null
     from users where username_key = 'alice'",
    "insert into login_tickets select '\\x02', id, '192.0.2.2', $1 - interval '23 hours', null
     from users where username_key = 'alice'",
    // Mail of a day ago, and of less than that.
    "insert into due_work (id, kind, user_id, created_at, due_at, expires_at)
     select gen_random_uuid(), 'mail.account_locked', id, $1 - interval '24 hours 2 minutes', $1,
            $1 - interval '2 minutes'
     from users where username_key = 'alice'",
    "insert into due_work (id, kind, user_id, created_at, due_at, expires_at)
     select gen_random_uuid(), 'mail.must_change', id, $1 - interval '23 hours 59 minutes', $1,
            $1 + interval '1 minute'
     from users where username_key = 'alice'",
    // Sessions that Dex forgot, for somebody who is gone.
    "insert into due_work (id, kind, user_id, created_at, due_at, finished_at)
     values (gen_random_uuid(), 'revocation', gen_random_uuid(), $1, $1, $1 - interval '2 minutes')",
];

async fn left(database: &Database) -> Vec<String> {
    sqlx::query_scalar(
        "select 'known ' || host(network) from known_networks
         union all select 'ticket ' || encode(ticket_hash, 'hex') from login_tickets
         union all select replace(kind, '.', ' ') from due_work
         union all select 'guard ' || coalesce(username_key, encode(login_guard.guard_key, 'hex'))
                          || ' ' || network
         from login_guard left join users using (guard_key)
         order by 1",
    )
    .fetch_all(&database.pool)
    .await
    .expect("the tables are read")
}

async fn with_rows(now: DateTime<Utc>) -> Database {
    let database = Database::with_people().await;
    for statement in ROWS {
        sqlx::query(*statement).bind(now).execute(&database.pool).await.expect(statement);
    }
    database
}

#[tokio::test]
async fn the_worker_forgets_what_is_over_and_keeps_what_is_not() {
    let database = with_rows((Sources::system().now)()).await;
    assert_eq!(left(&database).await.len(), 13);
    let files = tempfile::tempdir().unwrap();
    let pki = Pki::create(files.path()).unwrap().dex_admin;
    let [ca, cert, key] =
        [&pki.ca, &pki.client.cert, &pki.client.key].map(|path| path.to_str().unwrap());
    let arguments = [
        ["auth-connector", "serve"],
        ["--roles", "worker"],
        ["--postgres-dsn", &database.dsn],
        ["--admin-listen", "127.0.0.1:0"],
        ["--dex-api-address", "127.0.0.1:1"],
        ["--dex-api-ca-file", ca],
        ["--dex-api-cert-file", cert],
        ["--dex-api-key-file", key],
    ];
    let cli = Cli::try_parse_from(arguments.concat()).unwrap_or_else(|error| panic!("{error}"));
    let Command::Serve(args) = cli.command else { unreachable!("it says serve") };
    let app = App::build(&args).expect("it binds");
    let admin = app.admin_addr();
    let lifecycle = Lifecycle::new(std::time::Duration::from_secs(10));
    app.run(&lifecycle).await.expect("it runs");

    let expected = [
        "guard 02 ::/0",
        "guard alice 192.0.2.2/32",
        "known 192.0.2.2",
        "mail must_change",
        "ticket 02",
    ];
    eventually("the sweep", async || (left(&database).await == expected).then_some(())).await;
    eventually("the gauges", async || {
        let metrics = reqwest::get(format!("http://{admin}/metrics")).await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let names = ["revocation_age_seconds", "outbox_age_seconds", "audit_partitions_ahead"];
        names.iter().all(|name| metrics.contains(name)).then_some(())
    })
    .await;
    lifecycle.tasks().stop();
    lifecycle.run_until_stopped().await;
}

#[tokio::test]
async fn a_sweep_takes_no_more_than_it_may_and_waits_for_nobody() {
    let now = (Sources::system().now)();
    let database = with_rows(now).await;
    let store = Store::open(&database.dsn.clone().into()).unwrap();
    let mut other = database.pool.begin().await.unwrap();
    sqlx::query("select from login_guard where guard_key = '\\x01' for update")
        .execute(&mut *other)
        .await
        .unwrap();
    // Known networks protect two of Alice's rows; somebody holds the third of the others.
    let yesterday = now - TimeDelta::days(1);
    assert_eq!(store.sweep_guard(yesterday, 1).await.unwrap(), 1);
    assert_eq!(store.sweep_guard(yesterday, 9).await.unwrap(), 1);
    assert_eq!(store.sweep_guard(yesterday, 9).await.unwrap(), 0);
    other.rollback().await.unwrap();
    assert_eq!(store.sweep_guard(yesterday, 9).await.unwrap(), 1);
}
