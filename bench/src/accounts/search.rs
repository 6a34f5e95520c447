//! Accounts by a part of their name or number, among many, against one by its id.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::{Instant, sleep};

use super::site::{Site, searcher};
use crate::load::quantile_millis;
use crate::pin::Cores;
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::http::{Connection, get};

/// Requests of one measurement.
const LOOKS: u32 = 20;

/// How many times as long as one by its id half of the searches may take at most.
const TIMES: f64 = 10.0;

/// How many pages a later page is behind the first.
const LATER: u32 = 5;

/// The indexes that a search goes by.
const INDEXES: [&str; 2] = ["users_full_name_trigrams", "users_phone_trigrams"];

/// What is looked for, and whether one account alone has it.
const TERMS: [(&str, &str, bool); 7] = [
    ("a name that one has", "name=lovelace", true),
    ("a name that a hundred have", "name=hopper", false),
    ("a name that 1 in 100 has", "name=schmidt", false),
    ("a name that 1 in 10 has", "name=hannah", false),
    ("a whole number", "phone=1500000001", true),
    ("four digits", "phone=7770", false),
    ("three digits", "phone=777", false),
];

pub(super) async fn run(
    report: &mut Report,
    site: &Site,
    cores: &Cores,
    (accounts, rounds): (u32, u32),
) -> Result<()> {
    let database = site.login.database().await?;
    let searcher = searcher(&database).await?;
    fill(&database.pool, accounts).await?;
    let pages = site.serve(&database, cores).await?;
    let token = site.token(searcher)?;
    let mut connection = Connection::open(pages.address).await?;
    let requests = requests(&mut connection, &token).await?;
    let one = get(&format!("/accounts/v1/users/{searcher}"), &token);
    let mut keyed = Vec::new();
    let mut times: Vec<Vec<f64>> = requests.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        keyed.push(millis(&mut connection, &one).await?);
        for ((_, request), times) in requests.iter().zip(&mut times) {
            times.push(millis(&mut connection, request).await?);
        }
    }
    report.rounds("an account by its id, p50", "ms", &keyed, Goal::None)?;
    for ((what, _), times) in requests.iter().zip(&times) {
        let ratios: Vec<f64> = times.iter().zip(&keyed).map(|(time, one)| time / one).collect();
        report.rounds(format!("{what}, p50"), "ms", times, Goal::None)?;
        report.rounds(format!("{what} / by its id"), "ratio", &ratios, Goal::AtMost(TIMES))?;
    }
    pages.stop().await?;
    for index in INDEXES {
        let scans = scans(&database.pool, index).await?;
        report.once(format!("searches by {index}"), "", scans, Goal::AtLeast(1.0))?;
    }
    Ok(())
}

/// The first page of each search, and a later one of those that have one.
async fn requests(connection: &mut Connection, token: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut requests = Vec::new();
    for (what, query, is_one) in TERMS {
        let path = format!("/accounts/v1/users?{query}");
        let first = get(&path, token);
        let (mut found, mut next) = page(connection, &first).await?;
        ensure!(found == 1 || found > 0 && !is_one, "{what}: {found} of {query}");
        requests.push((what.to_owned(), first));
        let mut later = None;
        for _ in 0..LATER {
            let Some(after) = next else { break };
            let request = get(&format!("{path}&after={after}"), token);
            (found, next) = page(connection, &request).await?;
            ensure!(found > 0, "{what}: nothing on a later page");
            later = Some(request);
        }
        requests.extend(later.map(|request| (format!("{what}, a later page"), request)));
    }
    Ok(requests)
}

/// How many accounts a page has, and where the next one begins.
async fn page(connection: &mut Connection, request: &[u8]) -> Result<(usize, Option<String>)> {
    let page: Value = serde_json::from_slice(connection.ask(request).await?.expect(200)?)?;
    let accounts = page["accounts"].as_array().context("a page of accounts")?;
    Ok((accounts.len(), page["next"].as_str().map(str::to_owned)))
}

/// How long half of the answers take at most.
async fn millis(connection: &mut Connection, request: &[u8]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..LOOKS {
        let start = Instant::now();
        connection.ask(request).await?.expect(200)?;
        times.push(start.elapsed());
    }
    quantile_millis(0.5, times.into_iter())
}

/// Writes the accounts, in the order of their ids as the service does, who were made over three years. Their indexes of
/// trigrams are made anew when they are there: a million changes of them would take many minutes.
async fn fill(pool: &PgPool, accounts: u32) -> Result<()> {
    let mut made = Vec::new();
    for index in INDEXES {
        let definition: String = sqlx::query_scalar("select pg_get_indexdef($1::regclass)")
            .bind(index)
            .fetch_one(pool)
            .await
            .context("there is no such index")?;
        sqlx::query(AssertSqlSafe(format!("drop index {index}"))).execute(pool).await?;
        made.push(definition);
    }
    sqlx::query(
        "insert into users (id, email, email_key, email_verified, full_name, phone)
         select (lpad(to_hex(1700000000000 + n::bigint * 90000), 12, '0') || '7' || substr(first, 1, 3)
                 || '8' || substr(last, 1, 15))::uuid,
                email, email, true,
                case when n = $1 / 2 then 'Ada Lovelace'
                     when n % ($1 / 100) = 0 then 'Grace Hopper'
                     when n % 100 = 1 then 'Anna Schmidt'
                     when n % 10 = 2 then 'Hannah ' || initcap(translate(last, digits, 'ghijklmnop'))
                     else initcap(translate(substr(first, 1, 6), digits, 'ghijklmnop')) || ' '
                          || initcap(translate(substr(last, 1, 8), digits, 'ghijklmnop'))
                end,
                '+49' || (1500000000 + (n - 1) * 7919::bigint % 300000000 + 1)
         from generate_series(1, $1) as n,
              lateral (select md5('first' || n) as first, md5('last' || n) as last, '0123456789' as digits,
                              format('person-%s@example.com', lpad(n::text, 7, '0')) as email) as made",
    )
    .bind(i32::try_from(accounts)?)
    .execute(pool)
    .await
    .context("the accounts are not written")?;
    for definition in made {
        sqlx::query(AssertSqlSafe(definition)).execute(pool).await.context("an index")?;
    }
    // As after an hour of service: the planner knows the table, and no look at it has to write first.
    sqlx::query("vacuum analyze users").execute(pool).await?;
    Ok(())
}

/// How often an index was gone by. A connection tells that when it ends at the latest.
async fn scans(pool: &PgPool, index: &str) -> Result<f64> {
    for _ in 0..50 {
        let scans: i64 =
            sqlx::query_scalar("select idx_scan from pg_stat_user_indexes where indexrelname = $1")
                .bind(index)
                .fetch_one(pool)
                .await?;
        if scans > 0 {
            return Ok(count(usize::try_from(scans)?));
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(0.0)
}
