//! The audit trail's partitions, and who may do what with the tables.

use chrono::{DateTime, Utc};
use sqlx::AssertSqlSafe;

use super::Store;
use super::error::StoreError;

/// How many months ahead the trail is to have partitions.
pub(super) const MONTHS_AHEAD: i32 = 3;

impl Store {
    /// Makes the partitions of this month and of the three after it. Repeating it changes nothing,
    /// and two at once do not collide.
    pub async fn make_audit_partitions(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        sqlx::query!("select make_audit_partitions($1)", now).execute(&self.pool).await?;
        Ok(())
    }

    /// Lets a role do what `serve` and the commands need: read and write every table, but only
    /// read the audit trail and add to it. Repeating it changes nothing.
    ///
    /// Fails with [`StoreError::ServiceRole`] when there is no such role, or when nothing could be
    /// kept from it.
    pub async fn grant_service(&self, role: &str) -> Result<(), StoreError> {
        let owns = sqlx::query_scalar!(
            r#"
            select pg_has_role($1::text::name, relowner, 'member') as "owns!"
            from pg_class where oid = 'audit_events'::regclass
            "#,
            role
        )
        .fetch_one(&self.pool)
        .await
        .map_err(no_such_role)?;
        if owns {
            return Err(StoreError::ServiceRole(
                "the role must not be one that owns the tables, or a superuser's",
            ));
        }
        // The database quotes every name itself.
        let statements = sqlx::query_scalar!(
            r#"
            select string_agg(format('grant %s on %s to %I', rights, object, $1::text), ';') as "statements!"
            from (
                select case relname
                           when 'audit_events' then 'select, insert'
                           else 'select, insert, update, delete'
                       end,
                       oid::regclass::text
                from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                  and not relispartition and relname <> '_sqlx_migrations'
                union all
                values ('usage', 'schema public'), ('execute', 'function make_audit_partitions')
            ) as granted (rights, object)
            "#,
            role
        )
        .fetch_one(&self.pool)
        .await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&self.pool).await?;
        Ok(())
    }
}

fn no_such_role(error: sqlx::Error) -> StoreError {
    // undefined_object
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if code.as_deref() == Some("42704") {
        return StoreError::ServiceRole("there is no such role");
    }
    error.into()
}
