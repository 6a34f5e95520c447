//! What a flow is worth once its code was shown, and that it is used once.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::flow::{CodeNumber, FlowPurpose, FlowToken, PROVED_LIFE, Standing};

/// What is known of a flow whose code was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedFlow {
    /// What it is for.
    pub purpose: FlowPurpose,
    /// The address, as it was typed.
    pub email: String,
    /// What stands there now.
    pub standing: Standing,
}

/// As it is stored.
struct Row {
    flow: Uuid,
    purpose: String,
    email: String,
    account: Option<Uuid>,
    is_active: Option<bool>,
}

impl TryFrom<Row> for ProvedFlow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            purpose: purpose(&row.purpose, row.flow)?,
            email: row.email,
            standing: standing(row.account, row.is_active),
        })
    }
}

impl Store {
    /// Uses a code up: its flow is proved, and known by another token from now on. `None`: somebody was
    /// first, or another code counts by now.
    pub async fn prove(
        &self,
        CodeNumber { flow, number }: CodeNumber,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let row = in_time(
            sqlx::query_as!(
                Row,
                r#"
                with proved as (
                    update account_flows
                    set proved_at = $4::timestamptz, token_hash = $3,
                        expires_at = $4 + $5::interval
                    where id = $1 and code = $2 and proved_at is null
                    returning id, purpose, email, email_key
                )
                select proved.id as "flow!", purpose as "purpose!", proved.email as "email!",
                       users.id as "account?", is_active as "is_active?"
                from proved left join users on users.email_key = proved.email_key
                "#,
                flow,
                number,
                &token.hash()[..],
                now,
                interval(PROVED_LIFE)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// The flow of this token, if it is proved and not over.
    pub async fn proved_flow(
        &self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let row = in_time(
            sqlx::query_as!(
                Row,
                r#"
                select flow.id as "flow!", purpose as "purpose!", flow.email as "email!",
                       users.id as "account?", is_active as "is_active?"
                from account_flows as flow left join users on users.email_key = flow.email_key
                where token_hash = $1 and proved_at is not null and expires_at > $2
                "#,
                &token.hash()[..],
                now
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        row.map(TryInto::try_into).transpose()
    }
}

impl UnitOfWork {
    /// Uses up the flow of this token, if it is proved and not over: of many at once one gets it, and the
    /// others find none once that one's changes are made.
    pub async fn take_proved_flow(
        &mut self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"
            with taken as (
                delete from account_flows
                where token_hash = $1 and proved_at is not null and expires_at > $2
                returning id, purpose, email, email_key
            )
            select taken.id as "flow!", purpose as "purpose!", taken.email as "email!",
                   users.id as "account?", is_active as "is_active?"
            from taken left join users on users.email_key = taken.email_key
            "#,
            &token.hash()[..],
            now
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TryInto::try_into).transpose()
    }
}

/// What stands at an address, by the account that has it.
pub(super) fn standing(account: Option<Uuid>, is_active: Option<bool>) -> Standing {
    match (account, is_active) {
        (None, _) => Standing::Free,
        (Some(account), Some(true)) => Standing::Account(account.into()),
        (Some(_), _) => Standing::Disabled,
    }
}

/// The purpose with this name in the database.
pub(super) fn purpose(name: &str, flow: Uuid) -> Result<FlowPurpose, StoreError> {
    name.parse().map_err(|_| StoreError::CorruptFlow { flow })
}
