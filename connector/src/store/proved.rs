//! What a flow is worth once its code was shown, and that it is used once.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::to_the_end;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::flow::{
    CodeNumber, FlowPurpose, FlowToken, HandBack, PROVED_LIFE, REPEAT_LIFE, REQUEST_LIFE, Standing,
    TRIES,
};

/// What is known of a flow whose code was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvedFlow {
    /// What it is for.
    pub purpose: FlowPurpose,
    /// The address, as it was mailed to.
    pub email: String,
    /// What the owner of the account there is called; empty without one.
    pub full_name: String,
    /// The user name of the account there, if it has one.
    pub username: Option<String>,
    /// What stands there now.
    pub standing: Standing,
    /// Where it leads back to; `None`: nowhere.
    pub hand_back: Option<HandBack>,
}

/// The address of an account, whose owner reads its mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvedAddress {
    /// Nobody knew that before.
    pub is_new: bool,
}

/// As it is stored.
struct Row {
    flow: Uuid,
    purpose: String,
    email: String,
    full_name: Option<String>,
    username: Option<String>,
    account: Option<Uuid>,
    is_its: Option<bool>,
    hand_back: Option<String>,
}

impl TryFrom<Row> for ProvedFlow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            purpose: purpose(&row.purpose, row.flow)?,
            email: row.email,
            full_name: row.full_name.unwrap_or_default(),
            username: row.username,
            standing: standing(row.account, row.is_its),
            hand_back: row.hand_back.as_deref().and_then(HandBack::parse),
        })
    }
}

impl Store {
    /// Uses a code up: its flow is proved, and known by another token from now on. `None`: somebody was
    /// first, another code counts by now, or sessions of the account were ended since it was made.
    pub async fn prove(
        &self,
        CodeNumber { flow, number }: CodeNumber,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let row = to_the_end(
            sqlx::query_as!(
                Row,
                r#"
                with proved as (
                    update account_flows
                    set proved_at = $4::timestamptz, token_hash = $3,
                        expires_at = $4 + $5::interval
                    where id = $1 and code = $2 and proved_at is null
                      -- A flow that waits for its code ends so long after that was made.
                      and not exists (
                          select from users where users.email_key = account_flows.email_key
                            and sessions_ended_at >= account_flows.expires_at - $6::interval)
                    returning id, purpose, email, email_key, hand_back
                )
                select proved.id as "flow!", purpose as "purpose!", proved.email as "email!",
                       full_name as "full_name?", username as "username?", users.id as "account?",
                       is_active and users.email = proved.email as "is_its?", hand_back
                from proved left join users on users.email_key = proved.email_key
                "#,
                flow,
                number,
                &token.hash()[..],
                now,
                interval(PROVED_LIFE),
                interval(REQUEST_LIFE)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        row.map(TryInto::try_into).transpose()
    }

    /// Counts a try of a flow that was proved a moment ago, by the token that it has since, and tells which code
    /// it is to be compared with; `None` if there is none, or it was tried too often.
    pub async fn count_repeat(
        &self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<CodeNumber>, StoreError> {
        let row = to_the_end(
            sqlx::query!(
                r#"
                update account_flows set tries = tries + 1
                where token_hash = $1 and proved_at > $2::timestamptz - $4::interval and code > 0
                  and tries < $3
                returning id, code
                "#,
                &token.hash()[..],
                now,
                TRIES,
                interval(REPEAT_LIFE)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| CodeNumber { flow: row.id, number: row.code }))
    }

    /// The flow of this token, if it is proved and not over. A proof is over when sessions of the account are ended,
    /// by another proof or by an operator: what was taken from somebody then must not be had with it again.
    pub async fn proved_flow(
        &self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let row = to_the_end(
            sqlx::query_as!(
                Row,
                r#"
                select flow.id as "flow!", purpose as "purpose!", flow.email as "email!",
                       full_name as "full_name?", username as "username?", users.id as "account?",
                       is_active and users.email = flow.email as "is_its?", hand_back
                from account_flows as flow left join users on users.email_key = flow.email_key
                where token_hash = $1 and proved_at is not null and expires_at > $2
                  and (sessions_ended_at is null or sessions_ended_at < proved_at)
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
    /// Uses up the flow of this token, if it is proved and not over, and tells when it was proved: of many at once
    /// one gets it, and the others find none once that one's changes are made.
    pub async fn take_proved_flow(
        &mut self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let proved_at = sqlx::query_scalar!(
            r#"
            delete from account_flows
            where token_hash = $1 and proved_at is not null and expires_at > $2
            returning proved_at as "proved_at!"
            "#,
            &token.hash()[..],
            now
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(proved_at)
    }

    /// Notes that the owner of an account reads the mail of this address, as was proved at that time. `None`: it is
    /// not the account's any more, the account may not be used, or its sessions were ended since. Nobody else changes
    /// that until this unit ends.
    pub async fn prove_address(
        &mut self,
        account: AccountId,
        (address, proved_at): (&str, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedAddress>, StoreError> {
        let was_verified = sqlx::query_scalar!(
            r#"
            with before as (
                select id, email_verified from users
                where id = $1 and email = $2 and is_active
                  and (sessions_ended_at is null or sessions_ended_at < $4)
                for update
            )
            update users set email_verified = true, updated_at = $3
            from before where users.id = before.id
            returning before.email_verified as "was_verified!"
            "#,
            Uuid::from(account),
            address,
            now,
            proved_at
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(was_verified.map(|was_verified| ProvedAddress { is_new: !was_verified }))
    }
}

/// What stands at an address: the account that has it, and whether that may be used and has the address as it
/// was mailed to.
pub(super) fn standing(account: Option<Uuid>, is_its: Option<bool>) -> Standing {
    match (account, is_its) {
        (None, _) => Standing::Free,
        (Some(account), Some(true)) => Standing::Account(account.into()),
        (Some(_), _) => Standing::Disabled,
    }
}

/// The purpose with this name in the database.
pub(super) fn purpose(name: &str, flow: Uuid) -> Result<FlowPurpose, StoreError> {
    name.parse().map_err(|_| StoreError::CorruptFlow { flow })
}
