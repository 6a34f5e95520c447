//! What the judge is told of a crew, and what is reported of it.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::Crew;
use super::leavers::Leaver;
use super::report::{PATIENCE, Report};
use crate::chat::client::Client;
use crate::faults::judge::{ClientHeard, Evidence, Verdict, judge};

/// Between two looks at what is not settled yet.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Crew<'_> {
    /// Waits until everything has arrived everywhere, or does not any more, and judges.
    pub async fn judged(mut self) -> Result<Report> {
        let deadline = Instant::now() + PATIENCE;
        let verdict = loop {
            let verdict = judge(&self.evidence().await?);
            if verdict.findings.is_empty() || Instant::now() >= deadline {
                break verdict;
            }
            sleep(LOOK_AGAIN).await;
        };
        let report = self.report(&verdict);
        // A scenario may still hold a client, which would go on for as long.
        self.lives.shutdown().await;
        Ok(report)
    }

    /// What there is to judge by. The clients are asked first: the log can only be ahead of them.
    async fn evidence(&self) -> Result<Evidence> {
        let mut clients: Vec<ClientHeard> = self.clients.iter().filter_map(seen).collect();
        let gone = |leaver: &Leaver| Some((seen(&leaver.client)?, leaver.subject.clone()));
        let gone: Vec<_> = self.leavers.iter().filter_map(gone).collect();
        let room = self.room.log().await?;
        clients.extend(gone.into_iter().map(|(heard, subject)| {
            let end = room.out_since(&subject);
            ClientHeard { end, ..heard }
        }));
        let since = clients.iter().map(|client| client.start).min().unwrap_or_default();
        let log = room.events.clone();
        drop(room);
        Ok(Evidence {
            log,
            since,
            archive: self.scene.archive.places(&self.room.id, since).await?,
            dead: self.scene.dead().await?.1,
            acked: self.said().acked.clone(),
            clients,
        })
    }

    fn report(&self, verdict: &Verdict) -> Report {
        let (said, mut figures) = (self.said(), self.figures().clone());
        let mut findings = verdict.findings.clone();
        figures.add_verdict(verdict);
        figures.sent = said.sent;
        figures.acknowledged = said.acked.len() as u64;
        findings.extend(said.refused.iter().take(3).cloned());
        let staying = self.clients.iter().map(|client| (client, client.record().shut_out));
        // To who is removed there is no such room.
        let leaving = self.leavers.iter().map(|leaver| (&leaver.client, 0));
        for (client, shut_out) in staying.chain(leaving) {
            let record = client.record();
            figures.add_client(&record);
            let transcript = &record.transcript;
            let stays = record.ended.iter().map(|why| format!("stays away: {why}"));
            let counted = [
                (transcript.holes, "events after a hole"),
                (transcript.again, "events at places it had passed"),
                (transcript.resets, "resets"),
                (shut_out, "subscriptions that were refused"),
            ];
            let counted = counted.into_iter().filter(|(count, _)| *count > 0);
            let counted = counted.map(|(count, what)| format!("{count} {what}"));
            let faults = transcript.faults.iter().chain(&record.faults).take(3).cloned();
            let found = stays.chain(counted).chain(faults);
            findings.extend(found.map(|found| format!("{}: {found}", client.name())));
        }
        if figures.unknown != figures.settled {
            findings.push(format!("{} of {} settled", figures.settled, figures.unknown));
        }
        Report { figures, findings }
    }
}

fn seen(client: &Client) -> Option<ClientHeard> {
    let record = client.record();
    let transcript = &record.transcript;
    Some(ClientHeard {
        name: client.name().to_owned(),
        start: transcript.start()?.position,
        end: None,
        heard: transcript.heard().to_vec(),
    })
}
