//! Flows, their codes, and how much mail an inbox gets for them. Every statement is exact under any number
//! of replicas: it locks the one row it changes and looks at that row as it is then.

use chrono::{DateTime, TimeDelta, Utc};
use service_process::network::Network;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::proved::{purpose, standing};
use super::step::{in_time, to_the_end};
use super::unit_of_work::UnitOfWork;
use crate::account::{AccountId, Email};
use crate::due::WorkKind;
use crate::flow::{
    CODE_LIFE, CodeNumber, FlowPurpose, FlowToken, HandBack, MAILS_A_DAY, MAILS_AN_HOUR,
    REQUEST_LIFE, Standing, TRIES,
};
use crate::lockout::KNOWN_FOR_DAYS;

/// A flow that begins.
#[derive(Debug)]
pub struct NewFlow<'a> {
    /// Its id.
    pub id: Uuid,
    /// What its browser gets.
    pub token: &'a FlowToken,
    /// What it is for.
    pub purpose: FlowPurpose,
    /// Where its codes go.
    pub email: &'a Email,
    /// The language that its mail is in.
    pub language: &'static str,
    /// Whose account it is for, if who is signed in begins it.
    pub account: Option<AccountId>,
    /// Where it leads back to; `None`: nowhere.
    pub hand_back: Option<&'a HandBack>,
}

/// A flow that waits for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFlow {
    /// The code that counts.
    pub code: CodeNumber,
    /// What the address is looked up by.
    pub email_key: String,
}

/// What it takes to write mail with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMail {
    /// Which code it has.
    pub code: CodeNumber,
    /// What the flow is for.
    pub purpose: FlowPurpose,
    /// Where it goes.
    pub email: String,
    /// What stands at the address.
    pub standing: Standing,
    /// The language to write in.
    pub language: String,
}

impl UnitOfWork {
    /// Whether the account at an address is known from a network.
    pub async fn is_known_at(
        &mut self,
        email_key: &str,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let known = sqlx::query_scalar!(
            r#"
            select exists (
                select from users join known_networks on user_id = users.id
                where email_key = $1 and network = $2::text::cidr
                  and last_success_at > $3::timestamptz - make_interval(days => $4)
            ) as "known!"
            "#,
            email_key,
            network.map(|network| network.to_string()),
            now,
            KNOWN_FOR_DAYS
        )
        .fetch_one(self.connection())
        .await?;
        Ok(known)
    }

    /// Counts a mail to an inbox, unless strangers, or those who are known, had as many as they may.
    pub async fn charge_mail(
        &mut self,
        inbox: &[u8; 32],
        known: bool,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let charged = sqlx::query!(
            r#"
            insert into mail_budgets as budget (inbox, known, sent, last_sent_at)
            values ($1, $2, array[$3::timestamptz], $3)
            on conflict (inbox, known) do update
            set sent = array(select mail from unnest(budget.sent) as mail
                             where mail > $3 - interval '1 day') || excluded.sent,
                last_sent_at = excluded.last_sent_at
            where (select count(*) filter (where mail > $3 - interval '1 hour') < $4
                      and count(*) filter (where mail > $3 - interval '1 day') < $5
                   from unnest(budget.sent) as mail)
            "#,
            &inbox[..],
            known,
            now,
            i64::from(MAILS_AN_HOUR),
            i64::from(MAILS_A_DAY)
        )
        .execute(self.connection())
        .await?;
        Ok(charged.rows_affected() == 1)
    }

    /// Begins a flow, of which no code counts yet. Its codes go to the address of the account that has it, as
    /// it is stored: two spellings are one name here, but maybe two mailboxes.
    pub async fn start_flow(
        &mut self,
        flow: &NewFlow<'_>,
        now: DateTime<Utc>,
    ) -> Result<CodeNumber, StoreError> {
        sqlx::query!(
            r#"
            insert into account_flows
                (id, token_hash, purpose, email, email_key, language, code, expires_at, user_id,
                 hand_back)
            values ($1, $2, $3, coalesce((select email from users where email_key = $5), $4), $5, $6, 0,
                    $7::timestamptz + $8::interval, $9, $10)
            "#,
            flow.id,
            &flow.token.hash()[..],
            flow.purpose.name(),
            flow.email.as_str(),
            flow.email.key(),
            flow.language,
            now,
            interval(REQUEST_LIFE),
            flow.account.map(Uuid::from),
            flow.hand_back.map(HandBack::query)
        )
        .execute(self.connection())
        .await?;
        Ok(CodeNumber { flow: flow.id, number: 0 })
    }

    /// The flow of this token, if it waits for a code. Nobody else changes it until this ends.
    pub async fn open_flow(
        &mut self,
        token: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<OpenFlow>, StoreError> {
        let row = sqlx::query!(
            r#"
            select id, code, email_key from account_flows
            where token_hash = $1 and proved_at is null and expires_at > $2 for update
            "#,
            &token.hash()[..],
            now
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| OpenFlow {
            code: CodeNumber { flow: row.id, number: row.code },
            email_key: row.email_key,
        }))
    }

    /// Has the next code of a flow count, and no earlier one of it; what of theirs was not mailed yet is
    /// not any more.
    pub async fn next_code(
        &mut self,
        code: CodeNumber,
        now: DateTime<Utc>,
    ) -> Result<CodeNumber, StoreError> {
        let number = sqlx::query_scalar!(
            r#"
            with unsent as (delete from due_work where flow_id = $1 and finished_at is null)
            update account_flows
            set code = code + 1, code_sent_at = null, tries = 0,
                expires_at = $2::timestamptz + $3::interval
            where id = $1 returning code
            "#,
            code.flow,
            now,
            interval(REQUEST_LIFE)
        )
        .fetch_one(self.connection())
        .await?;
        Ok(CodeNumber { number, ..code })
    }

    /// Has a code mailed.
    pub async fn post_code(
        &mut self,
        CodeNumber { flow, number }: CodeNumber,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            insert into due_work (id, kind, flow_id, code, created_at, due_at, expires_at)
            values ($1, $2, $3, $4, $5::timestamptz, $5, $5 + $6::interval)
            "#,
            id,
            WorkKind::Code.name(),
            flow,
            number,
            now,
            interval(REQUEST_LIFE)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Begins the life of a code: the mail server has it. It has begun already if the code was sent twice;
    /// the later one counts, because its reader may have no other.
    pub async fn code_sent(
        &mut self,
        CodeNumber { flow, number }: CodeNumber,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update account_flows set code_sent_at = $3 where id = $1 and code = $2",
            flow,
            number,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Counts a try of the flow of this token, which the owner of this account began if one is given, and tells which
    /// code it is to be compared with; `None` if none is good any more, or was mailed at all. Counted before it is
    /// compared: a crash in between is no free guess.
    pub async fn count_try(
        &self,
        (token, owner): (&FlowToken, Option<AccountId>),
        now: DateTime<Utc>,
    ) -> Result<Option<CodeNumber>, StoreError> {
        let row = to_the_end(
            sqlx::query!(
                r#"
                update account_flows set tries = tries + 1
                where token_hash = $1 and proved_at is null and expires_at > $2 and code > 0 and tries < $3
                  and (code_sent_at is null or code_sent_at > $2::timestamptz - $4::interval)
                  and ($5::uuid is null or user_id = $5)
                returning id, code
                "#,
                &token.hash()[..],
                now,
                TRIES,
                interval(CODE_LIFE),
                owner.map(Uuid::from)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| CodeNumber { flow: row.id, number: row.code }))
    }

    /// What it takes to write a mail with a code; `None` if nobody waits for it any more.
    pub async fn code_mail(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<CodeMail>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                select flow.id, flow.code, purpose, flow.email, language, users.id as "account?",
                       is_active and users.email = flow.email as "is_its?"
                from due_work
                join account_flows as flow on flow.id = flow_id and flow.code = due_work.code
                left join users on users.email_key = flow.email_key
                where due_work.id = $1 and proved_at is null and flow.expires_at > $2
                  -- Who began it while signed in may have closed the account since.
                  and (flow.user_id is null or exists (
                      select from users as owner where owner.id = flow.user_id and owner.is_active))
                "#,
                id,
                now
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        row.map(|row| {
            Ok(CodeMail {
                code: CodeNumber { flow: row.id, number: row.code },
                purpose: purpose(&row.purpose, row.id)?,
                email: row.email,
                standing: standing(row.account, row.is_its),
                language: row.language,
            })
        })
        .transpose()
    }

    /// Removes flows that ended before `before`; at most `limit`.
    pub async fn sweep_flows(&self, before: DateTime<Utc>, limit: i64) -> Result<u64, StoreError> {
        let swept = in_time(
            sqlx::query!(
                r#"
                delete from account_flows where id in (
                    select id from account_flows where expires_at < $1
                    limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(swept.rows_affected())
    }

    /// Forgets what inboxes got whose last mail was a day before `now`; at most `limit`.
    pub async fn sweep_mail_budgets(
        &self,
        now: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        let swept = in_time(
            sqlx::query!(
                r#"
                delete from mail_budgets where (inbox, known) in (
                    select inbox, known from mail_budgets where last_sent_at < $1
                    limit $2 for update skip locked
                )
                "#,
                now - TimeDelta::days(1),
                limit
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(swept.rows_affected())
    }
}
