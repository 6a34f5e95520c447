//! One-time tickets.

use chrono::{DateTime, Utc};
use service_process::network::Network;
use sha2::{Digest as _, Sha256};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::{in_time, to_the_end};
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::audit::Entry;
use crate::flow::{FlowToken, HandBack, TICKET_LIFE, Ticket};

/// A ticket that is made where a flow ends.
#[derive(Debug)]
pub struct NewTicket<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// Whom it lets in.
    pub account: AccountId,
    /// From where.
    pub network: Network,
    /// The flow that ends.
    pub flow: &'a FlowToken,
    /// Where that leads back to.
    pub hand_back: &'a HandBack,
}

/// A ticket that nobody used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedTicket {
    /// Whom it lets in.
    pub account: AccountId,
    /// The address of that account.
    pub email: String,
    /// Where its flow leads back to.
    pub hand_back: HandBack,
    /// When that ended.
    pub issued_at: DateTime<Utc>,
}

impl UnitOfWork {
    /// Makes a ticket, from the moment of this line on.
    pub async fn issue_ticket(
        &mut self,
        new: &NewTicket<'_>,
        entry: &Entry,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            insert into login_tickets (ticket_hash, user_id, network, expires_at, flow_hash, hand_back)
            values ($1, $2, $3::text::cidr, $4::timestamptz + $5::interval, $6, $7)
            "#,
            &new.ticket.hash()[..],
            Uuid::from(new.account),
            new.network.to_string(),
            entry.at,
            interval(TICKET_LIFE),
            &new.flow.hash()[..],
            new.hand_back.query()
        )
        .execute(self.connection())
        .await?;
        self.record(entry).await
    }
}

impl Store {
    /// The ticket that was made where the flow of this token ended, if nobody used it yet and it is not over.
    pub async fn unused_ticket(
        &self,
        flow: &FlowToken,
        now: DateTime<Utc>,
    ) -> Result<Option<UnusedTicket>, StoreError> {
        let row = to_the_end(
            sqlx::query!(
                r#"
                select user_id, email as "email!", hand_back as "hand_back!", login_tickets.expires_at
                from login_tickets join users on users.id = user_id
                where flow_hash = $1 and used_at is null and login_tickets.expires_at > $2
                  and email is not null and hand_back is not null
                "#,
                &flow.hash()[..],
                now
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.and_then(|row| {
            Some(UnusedTicket {
                account: row.user_id.into(),
                email: row.email,
                hand_back: HandBack::parse(&row.hand_back)?,
                issued_at: row.expires_at - TICKET_LIFE,
            })
        }))
    }

    /// Uses a ticket up, and tells whether it was good: made for this account and this network, not
    /// expired and not used before, and no sessions of the account were ended since. Of many at once one
    /// succeeds. Without account or network it does the same work, and none is good.
    pub async fn redeem_ticket(
        &self,
        ticket: &str,
        account: Option<AccountId>,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let done = in_time(
            sqlx::query!(
                r#"
                update login_tickets set used_at = $4
                where ticket_hash = $1 and user_id = $2 and network = $3::text::cidr
                  and used_at is null and expires_at > $4
                  and not exists (select from users where users.id = user_id
                                    and sessions_ended_at > login_tickets.expires_at - $5::interval)
                "#,
                &Sha256::digest(ticket)[..],
                account.map(Uuid::from),
                network.map(|network| network.to_string()),
                now,
                interval(TICKET_LIFE)
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
