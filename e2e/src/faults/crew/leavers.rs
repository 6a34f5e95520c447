//! Clients of people who come and go: each hears the room until its person is removed, and has to go on when the person
//! has come again.

use anyhow::{Context as _, Result, ensure};

use super::Crew;
use super::members::Members;
use super::report::PATIENCE;
use crate::chat::client::Client;
use crate::wait::until_after;

/// A client of somebody who comes and goes.
pub struct Leaver {
    /// The client.
    pub client: Client,
    /// The person: a number of the scene.
    pub person: usize,
    /// Who that is to the services.
    pub subject: String,
}

impl Leaver {
    /// The place up to which it has everything.
    #[must_use]
    pub fn at(&self) -> i64 {
        self.client.record().transcript.at().map_or(i64::MIN, |at| at.position)
    }

    /// How often it was told that there is no such room.
    #[must_use]
    pub fn shut_out(&self) -> u64 {
        self.client.record().shut_out
    }

    /// How much it heard behind a place.
    #[must_use]
    pub fn heard_behind(&self, position: i64) -> usize {
        let record = self.client.record();
        record.transcript.heard().iter().filter(|heard| heard.position > position).count()
    }

    /// Has it go on from where it was, and waits until it has everything up to a place.
    pub async fn goes_on(&self, position: i64) -> Result<()> {
        let before = self.shut_out();
        self.client.subscribe().await;
        self.subscribes_until(before, || self.at() >= position).await
    }

    /// Waits for something that a subscription brings. A replica that does not know yet that the person is in the room
    /// has refused it, and is asked again.
    async fn subscribes_until(&self, mut refused: u64, is_so: impl Fn() -> bool) -> Result<()> {
        until_after(PATIENCE, "whoever is in the room hears it", async || {
            let shut_out = self.shut_out();
            if std::mem::replace(&mut refused, shut_out) < shut_out {
                self.client.subscribe().await;
            }
            ensure!(is_so(), "{} does not, and is at {}", self.client.name(), self.at());
            Ok(())
        })
        .await
    }
}

impl Crew<'_> {
    /// Has people join who will be removed, with a client at each of the replicas, and waits until they listen.
    pub async fn join_for_a_while(&mut self, members: &Members) -> Result<()> {
        let first = self.leavers.len();
        for person in members.people.clone() {
            let wallet = self.scene.people.get(person).context("too few people")?.clone();
            // One after another, as those who stay.
            wallet.token().await;
            let subject = wallet.subject().await?;
            for replica in &members.replicas {
                let only = Members { replicas: vec![*replica], ..members.clone() };
                let client = self.client(person, 0, &only)?;
                self.leavers.push(Leaver { client, person, subject: subject.clone() });
            }
        }
        for leaver in &self.leavers[first..] {
            leaver.subscribes_until(0, || leaver.client.record().online).await?;
        }
        Ok(())
    }

    /// The clients of those who come and go.
    #[must_use]
    pub fn leavers(&self) -> &[Leaver] {
        &self.leavers
    }

    /// Waits until all who stay have everything up to a place.
    pub async fn everybody_has(&self, position: i64) -> Result<()> {
        until_after(PATIENCE, "everybody who stays has heard it", async || {
            for client in &self.clients {
                let at = client.record().transcript.at().map(|at| at.position);
                ensure!(at >= Some(position), "{} is at {at:?} of {position}", client.name());
            }
            Ok(())
        })
        .await
    }
}
