//! Invitations: who may make an account without asking for a code.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::proved::ProvedFlow;
use super::step::{in_time, to_the_end};
use super::unit_of_work::UnitOfWork;
use crate::account::Email;
use crate::due::WorkKind;
use crate::flow::{
    FlowPurpose, FlowToken, HandBack, INVITATION_LIFE, InvitationCode, PROVED_LIFE, REQUEST_LIFE,
    Standing,
};

/// Somebody who is invited.
#[derive(Debug)]
pub struct Invitation<'a> {
    /// Its id, which the mail has, too.
    pub id: Uuid,
    /// Whose account it will be.
    pub email: &'a Email,
    /// What the mail says.
    pub code: &'a InvitationCode,
    /// The language that it is in.
    pub language: &'static str,
}

/// What it takes to write an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationMail {
    /// Where it goes.
    pub email: String,
    /// The language to write in.
    pub language: String,
}

impl UnitOfWork {
    /// Invites somebody, and has the code mailed. An earlier invitation of the address is void, and not mailed any
    /// more. `false`: there is an account with the address, and nothing was written.
    pub async fn invite(
        &mut self,
        invitation: &Invitation<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let Invitation { id, email, code, language } = invitation;
        let invited = sqlx::query!(
            r#"
            with unsent as (
                delete from due_work where finished_at is null
                    and id = (select id from invitations where email_key = $3)
            )
            insert into invitations (id, email, email_key, code_hash, language, expires_at)
            select $1, $2, $3, $4, $5, $6::timestamptz + $7::interval
            where not exists (select from users where email_key = $3)
            on conflict (email_key) do update
            set id = excluded.id, email = excluded.email, code_hash = excluded.code_hash,
                language = excluded.language, expires_at = excluded.expires_at
            "#,
            id,
            email.as_str(),
            email.key(),
            &code.hash()[..],
            *language,
            now,
            interval(INVITATION_LIFE)
        )
        .execute(self.connection())
        .await?;
        if invited.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query!(
            r#"
            insert into due_work (id, kind, created_at, due_at, expires_at)
            values ($1, $2, $3::timestamptz, $3, $3 + $4::interval)
            "#,
            id,
            WorkKind::Invitation.name(),
            now,
            interval(REQUEST_LIFE)
        )
        .execute(self.connection())
        .await?;
        Ok(true)
    }
}

impl Store {
    /// What it takes to write an invitation; `None` if it is void.
    pub async fn invitation_mail(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<InvitationMail>, StoreError> {
        in_time(
            sqlx::query_as!(
                InvitationMail,
                "select email, language from invitations where id = $1 and expires_at > $2",
                id,
                now
            )
            .fetch_optional(&self.pool),
        )
        .await
    }

    /// Begins a flow of whoever shows the code of an invitation: its address is proved by that. `None`: there is
    /// none with this code, it is over, or somebody has an account with its address.
    pub async fn accept_invitation(
        &self,
        code: &InvitationCode,
        (flow, token, hand_back): (Uuid, &FlowToken, Option<&HandBack>),
        now: DateTime<Utc>,
    ) -> Result<Option<ProvedFlow>, StoreError> {
        let email = to_the_end(
            sqlx::query_scalar!(
                r#"
                insert into account_flows
                    (id, token_hash, purpose, email, email_key, language, code, proved_at, expires_at,
                     hand_back)
                select $2, $3, $4, email, email_key, language, 0, $5::timestamptz, $5 + $6::interval, $7
                from invitations
                where code_hash = $1 and expires_at > $5
                  and not exists (select from users where users.email_key = invitations.email_key)
                returning email
                "#,
                &code.hash()[..],
                flow,
                &token.hash()[..],
                FlowPurpose::Invitation.name(),
                now,
                interval(PROVED_LIFE),
                hand_back.map(HandBack::query)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(email.map(|email| ProvedFlow {
            purpose: FlowPurpose::Invitation,
            email,
            full_name: String::new(),
            username: None,
            standing: Standing::Free,
            hand_back: hand_back.cloned(),
        }))
    }

    /// Removes invitations that ended before `before`; at most `limit`.
    pub async fn sweep_invitations(
        &self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        let swept = in_time(
            sqlx::query!(
                r#"
                delete from invitations where id in (
                    select id from invitations where expires_at < $1
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
}
