//! The search for accounts.

use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::audit::Entry;

/// An account as members of certain groups see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is named for what it is")]
pub struct Found {
    pub id: Uuid,
    pub username: Option<String>,
    pub full_name: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub phone: Option<String>,
    pub is_active: bool,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The account with this id.
    Id(AccountId),
    /// Accounts whose display name contains this, in either case.
    Name(String),
    /// Accounts whose telephone number contains this.
    Phone(String),
}

/// Which part of what is found.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// Only accounts after this one.
    pub after: Option<AccountId>,
    /// The most accounts.
    pub limit: u32,
}

/// So many accounts are looked at one by one, in the order of their ids, before the index of trigrams is asked: what
/// one in 20 has fills a page of 51 by then, and the index would yield 50,000 of a million.
const NEAR: i64 = 1_020;

/// Further accounts are looked at before the index is asked if a page is to be expected within so many times as many:
/// what one in 200 has fills one by then, and the index would yield 5,000 of a million. To look at one costs a third of
/// what the index needs for one that it yields.
const FURTHER: i64 = 16;

impl Store {
    /// Looks for accounts, in the order of their ids, and writes the line of that.
    pub async fn search(
        &self,
        wanted: &Wanted,
        Page { after, limit }: Page,
        entry: &Entry,
    ) -> Result<Vec<Found>, StoreError> {
        let (after, limit) = (after.map(Uuid::from), i64::from(limit));
        in_time(async {
            let mut unit = self.begin().await?;
            unit.record(entry).await?;
            let found = match wanted {
                Wanted::Id(id) => {
                    sqlx::query_as!(
                        Found,
                        r#"
                        select id, username, full_name, email, email_verified, phone, is_active
                        from users where id = $1
                        "#,
                        Uuid::from(*id)
                    )
                    .fetch_all(unit.connection())
                    .await?
                }
                Wanted::Name(part) => unit.find_by_name(&anywhere(part), (after, limit)).await?,
                Wanted::Phone(part) => unit.find_by_phone(&anywhere(part), (after, limit)).await?,
            };
            unit.commit().await.map(|()| found)
        })
        .await
    }
}

// Where many have it, a page of them is among the next few, or not much further. Otherwise all that have it are looked
// for, by the index of trigrams. In one step the database would go through all accounts in the order of their ids where
// it expects many of them to have it, and be wrong; or find them all where it expects few.
impl UnitOfWork {
    /// Accounts whose display name is like this, in either case.
    async fn find_by_name(
        &mut self,
        pattern: &str,
        (after, limit): (Option<Uuid>, i64),
    ) -> Result<Vec<Found>, StoreError> {
        let mut window = Some(NEAR);
        while let Some(accounts) = window {
            let near = sqlx::query_as!(
                Found,
                r#"
                select id, username, full_name, email, email_verified, phone, is_active
                from (
                    select * from users
                    where id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
                    order by id limit $4
                ) as next
                where full_name ilike $1 order by id limit $3
                "#,
                pattern,
                after,
                limit,
                accounts
            )
            .fetch_all(self.connection())
            .await?;
            if i64::try_from(near.len()).is_ok_and(|found| found >= limit) {
                return Ok(near);
            }
            window = further(accounts, near.len(), limit);
        }
        let found = sqlx::query_as!(
            Found,
            r#"
            with found as materialized (
                select id from users where full_name ilike $1 and ($2::uuid is null or id > $2)
            ), page as (
                select id from found order by id limit $3
            )
            select id, username, full_name, email, email_verified, phone, is_active
            from page join users using (id) order by id
            "#,
            pattern,
            after,
            limit
        )
        .fetch_all(self.connection())
        .await?;
        Ok(found)
    }

    /// Accounts whose telephone number is like this.
    async fn find_by_phone(
        &mut self,
        pattern: &str,
        (after, limit): (Option<Uuid>, i64),
    ) -> Result<Vec<Found>, StoreError> {
        let mut window = Some(NEAR);
        while let Some(accounts) = window {
            let near = sqlx::query_as!(
                Found,
                r#"
                select id, username, full_name, email, email_verified, phone, is_active
                from (
                    select * from users
                    where id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
                    order by id limit $4
                ) as next
                where phone like $1 order by id limit $3
                "#,
                pattern,
                after,
                limit,
                accounts
            )
            .fetch_all(self.connection())
            .await?;
            if i64::try_from(near.len()).is_ok_and(|found| found >= limit) {
                return Ok(near);
            }
            window = further(accounts, near.len(), limit);
        }
        let found = sqlx::query_as!(
            Found,
            r#"
            with found as materialized (
                select id from users where phone like $1 and ($2::uuid is null or id > $2)
            ), page as (
                select id from found order by id limit $3
            )
            select id, username, full_name, email, email_verified, phone, is_active
            from page join users using (id) order by id
            "#,
            pattern,
            after,
            limit
        )
        .fetch_all(self.connection())
        .await?;
        Ok(found)
    }
}

/// How many accounts to look at after so many, of which some belong to a page: as many as fill it if others have it as
/// often, and a quarter more. `None`: the index is to be asked.
fn further(accounts: i64, found: usize, limit: i64) -> Option<i64> {
    let found = i64::try_from(found).ok().filter(|found| accounts == NEAR && *found > 0)?;
    let fill = NEAR * limit / found;
    (fill <= NEAR * FURTHER).then_some(fill * 5 / 4)
}

/// The pattern of what has this somewhere.
fn anywhere(part: &str) -> String {
    let mut pattern = String::with_capacity(part.len() + 2);
    pattern.push('%');
    for character in part.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
