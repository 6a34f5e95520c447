//! A database that is slow, or whose answers are lost: right passwords fail for the moment and are
//! never counted against anybody.

use std::sync::Arc;

use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::Code;

use crate::setup::replica::from_elsewhere;
use crate::setup::{Connector, Database, PASSWORD, attempt, eventually};

/// From now on PostgreSQL takes 5 s for a statement that does this to the guard's table.
async fn slow_down(database: &Database, statements: &str) {
    for sql in [
        "create function take_five() returns trigger language plpgsql
         as $$ begin perform pg_sleep(5); return new; end $$"
            .to_owned(),
        format!(
            "create trigger slow before {statements} on login_guard
             for each row execute function take_five()"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&database.pool).await.expect("a trigger");
    }
}

/// What is counted as failures and what is under way, on all accounts.
async fn counted(pool: &PgPool) -> (i64, i64) {
    sqlx::query_as(
        "select coalesce(sum(failures), 0)::bigint, coalesce(sum(cardinality(pending)), 0)::bigint
         from login_guard",
    )
    .fetch_one(pool)
    .await
    .expect("the database answers")
}

/// Alice is let in as soon as the database is as quick as it was.
async fn let_in(connector: &Connector, password: &str) {
    let answer = eventually("an answer", async || {
        connector.client().login(attempt("alice", password)).await.ok()
    });
    assert!(answer.await.into_inner().valid_password);
}

/// Waits until nothing is under way; nothing must become a failure meanwhile.
async fn all_taken_back(pool: &PgPool) {
    eventually("nothing is under way", async || {
        let (failures, pending) = counted(pool).await;
        assert_eq!(failures, 0, "a right password became a failure");
        (pending == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_five_seconds_makes_no_failure_of_a_right_password() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    slow_down(&database, "insert or update").await;
    let logins = (0..4).map(|n| {
        let name = ["alice", "bob"][n as usize % 2];
        let password = [PASSWORD, "another long enough password"][n as usize % 2];
        let mut client = connector.client();
        async move { client.login(from_elsewhere(name, password, n)).await }
    });
    for answer in futures_util::future::join_all(logins).await {
        let status = answer.expect_err("the database is too slow");
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    }
    // What was sent is carried out all the same.
    eventually("a charge is made", async || (counted(&database.pool).await.1 > 0).then_some(()))
        .await;
    all_taken_back(&database.pool).await;
    sqlx::query("drop trigger slow on login_guard").execute(&database.pool).await.unwrap();
    let_in(&connector, PASSWORD).await;
    assert_eq!(counted(&database.pool).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_whose_success_is_slow_to_count_is_right_all_the_same() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    // The first attempt on a name inserts its row; settling updates it.
    slow_down(&database, "update").await;
    assert!(connector.login("alice", PASSWORD).await.valid_password);
    database.audited("login.ok", None).await;
    all_taken_back(&database.pool).await;
    let known: i64 = sqlx::query_scalar("select count(*) from known_networks")
        .fetch_one(&database.pool)
        .await
        .unwrap();
    assert_eq!(known, 1, "the success was counted in the end");
}

/// Stands before PostgreSQL, and can keep back its answers and cut its connections.
struct Between {
    dsn: String,
    answers: watch::Sender<bool>,
    connections: watch::Sender<u32>,
}

impl Between {
    async fn open(database: &Database) -> Self {
        let mut dsn = url::Url::parse(&database.dsn).expect("a URL");
        let server = (dsn.host_str().expect("a host").to_owned(), dsn.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        dsn.set_host(Some("127.0.0.1")).expect("a host");
        dsn.set_port(Some(listener.local_addr().expect("an address").port())).expect("a port");
        let between = Self {
            dsn: dsn.to_string(),
            answers: watch::Sender::new(true),
            connections: watch::Sender::new(0),
        };
        let (answers, cut) = (between.answers.subscribe(), between.connections.subscribe());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("PostgreSQL answers");
                tokio::spawn(relay(client, server, answers.clone(), cut.clone()));
            }
        });
        between
    }

    /// Ends all connections that stand.
    fn cut(&self) {
        self.connections.send_modify(|generation| *generation += 1);
    }
}

async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    mut answers: watch::Receiver<bool>,
    mut cut: watch::Receiver<u32>,
) {
    cut.mark_unchanged();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let requests = tokio::io::copy(&mut from_client, &mut to_server);
    let replies = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from_server.read(&mut buffer).await else { return };
            if answers.wait_for(|let_through| *let_through).await.is_err()
                || to_client.write_all(&buffer[..length]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        _ = requests => {}
        () = replies => {}
        _ = cut.changed() => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_whose_answer_is_lost_is_taken_back() {
    let database = Database::with_people().await;
    let between = Between::open(&database).await;
    let connector = Arc::new(Connector::start(&between.dsn).await);
    slow_down(&database, "insert or update").await;
    let caller = Arc::clone(&connector);
    let login = tokio::spawn(async move {
        caller.client().login(from_elsewhere("Alice@example.com", PASSWORD, 1)).await
    });
    eventually("the statement is under way", async || {
        let under_way: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity
             where datname = current_database() and wait_event = 'PgSleep')",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        under_way.then_some(())
    })
    .await;
    between.answers.send_replace(false);
    eventually("the charge is made", async || (counted(&database.pool).await.1 > 0).then_some(()))
        .await;
    sqlx::query("drop trigger slow on login_guard").execute(&database.pool).await.unwrap();
    let status = login.await.unwrap().expect_err("the answer is kept back");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    between.cut();
    between.answers.send_replace(true);
    all_taken_back(&database.pool).await;
    let_in(&connector, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_hang_up_at_any_point_leave_no_charge_and_no_failure() {
    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    for n in 0..60 {
        let mut client = connector.client();
        let login =
            tokio::spawn(async move { client.login(from_elsewhere("alice", PASSWORD, n)).await });
        // Later each time, from the first byte of the connection to the padding.
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(n) * 3)).await;
        login.abort();
    }
    all_taken_back(&database.pool).await;
    let_in(&connector, PASSWORD).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_used_up_by_a_login_whose_groups_cannot_be_read() {
    use sha2::{Digest as _, Sha256};

    let database = Database::with_people().await;
    let connector = Connector::start(&database.dsn).await;
    let ticket = "lat1_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE";
    sqlx::query(
        "insert into login_tickets (ticket_hash, user_id, network, expires_at)
         select $1, id, '203.0.113.7/32', now() + interval '1 hour' from users
         where username_key = 'alice'",
    )
    .bind(&Sha256::digest(ticket)[..])
    .execute(&database.pool)
    .await
    .unwrap();
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table user_groups").execute(&mut *held).await.unwrap();
    let status =
        connector.client().login(attempt("alice", ticket)).await.expect_err("groups are kept");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    held.rollback().await.unwrap();
    all_taken_back(&database.pool).await;
    // The ticket is still good.
    let_in(&connector, ticket).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_trail_wait_for_the_database_and_none_is_lost_or_doubled() {
    let database = Database::with_people().await;
    let program =
        crate::setup::program::Program::start(&mut database.command(&["serve", "--insecure"]))
            .await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table audit_events").execute(&mut *held).await.unwrap();
    let channel = program.channel();
    for n in 0..5 {
        let mut client = PasswordConnectorClient::new(channel.clone());
        let answer = client.login(from_elsewhere("alice", PASSWORD, n)).await.unwrap();
        assert!(answer.into_inner().valid_password, "the trail changes no outcome");
    }
    // Longer than a step may take, and than two tries.
    eventually("a line has waited for five seconds", async || {
        let waits: bool = sqlx::query_scalar(
            "select exists (select from pg_stat_activity
             where datname = current_database() and wait_event_type = 'Lock'
               and clock_timestamp() - query_start > interval '5 seconds')",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        waits.then_some(())
    })
    .await;
    assert_eq!(database.waiting().await, 1, "the trail takes one connection");
    held.rollback().await.unwrap();
    let lines = async || -> i64 {
        sqlx::query_scalar("select count(*) from audit_events where event = 'login.ok'")
            .fetch_one(&database.pool)
            .await
            .unwrap()
    };
    eventually("all lines", async || (lines().await >= 5).then_some(())).await;
    let metrics = program.metrics().await;
    let lost = metrics.lines().find(|line| line.starts_with("audit_failures_total "));
    assert!(lost.is_none_or(|lost| lost.ends_with(" 0")), "{lost:?}");
    program.stop().await;
    assert_eq!(lines().await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_the_database_does_not_take_before_the_process_leaves_are_told() {
    let database = Database::with_people().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = database.command(&["serve", "--insecure"]);
    command.stderr(log.reopen().unwrap());
    let program = crate::setup::program::Program::start(&mut command).await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table audit_events").execute(&mut *held).await.unwrap();
    for n in 0..5 {
        let mut client = PasswordConnectorClient::new(program.channel());
        let answer = client.login(from_elsewhere("alice", PASSWORD, n)).await.unwrap();
        assert!(answer.into_inner().valid_password, "the trail changes no outcome");
    }
    program.stop().await;
    let log = std::fs::read_to_string(log.path()).unwrap();
    let told = log.lines().filter(|line| line.contains("audit line lost")).count();
    assert_eq!(told, 5, "{log}");
    held.rollback().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_leaves_in_order_although_a_charge_is_under_way_for_ever() {
    let database = Database::with_people().await;
    let program =
        crate::setup::program::Program::start(&mut database.command(&["serve", "--insecure"]))
            .await;
    eventually("it is ready", async || program.is_ready().await.then_some(())).await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table login_guard").execute(&mut *held).await.unwrap();
    let mut client = PasswordConnectorClient::new(program.channel());
    let answer = client.login(from_elsewhere("alice", PASSWORD, 1)).await;
    let status = answer.expect_err("the database does not answer");
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    program.stop().await;
    held.rollback().await.unwrap();
}
