//! Looks at a room's history by people who were removed from it.

use anyhow::{Context as _, Result, bail};
use http::StatusCode;

use crate::chat::place::Place;
use crate::chat::{Chat, Reply};

/// A look at the history by somebody who was removed.
pub(super) struct Look {
    pub(super) person: usize,
    pub(super) replica: usize,
    /// Where the removal stands.
    pub(super) removal: i64,
    /// The cursor that the answer has to include, if it names one.
    pub(super) with: Option<String>,
}

/// What the history answered.
#[derive(Default)]
pub(super) struct Looks {
    /// There is no such room.
    pub(super) gone: u64,
    /// The replica is behind, or too much is read.
    pub(super) put_off: u64,
    /// A page of what was said up to the removal, by a replica that had not read that.
    pub(super) shown: u64,
    /// Messages of pages that stand behind the removal, and cursors that do.
    pub(super) beyond: u64,
    /// Each page that has such, in words.
    pub(super) findings: Vec<String>,
}

impl Look {
    /// Asks as that person.
    pub(super) async fn ask(self, chat: &Chat, room: &str) -> Result<(Self, Reply)> {
        let reply = chat.try_history(room, self.with.as_deref()).await?;
        Ok((self, reply))
    }
}

impl Looks {
    /// Counts an answer.
    pub(super) fn take(&mut self, look: &Look, reply: &Reply) -> Result<()> {
        match reply.status {
            StatusCode::NOT_FOUND => self.gone += 1,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => self.put_off += 1,
            StatusCode::OK => {
                let beyond = beyond(reply, look.removal)?;
                self.shown += u64::from(beyond == 0);
                self.beyond += beyond;
                if beyond > 0 {
                    let Look { person, replica, with, .. } = look;
                    let way = if with.is_some() { "with X-After" } else { "without X-After" };
                    self.findings.push(format!(
                        "replica {replica} shows person {person} {beyond} messages and cursors behind the removal, {way}"
                    ));
                }
            }
            status => bail!("the history answers {status}: {}", reply.body),
        }
        Ok(())
    }
}

/// How much of a page stands behind a place.
fn beyond(page: &Reply, position: i64) -> Result<u64> {
    let upto = page.headers.get("x-cursor").context("a page has a cursor")?.to_str()?;
    let messages = page.body.as_array().context("a page is an array")?;
    let cursors = messages.iter().map(|message| message["cursor"].as_str());
    let mut beyond = 0;
    for cursor in cursors.chain([Some(upto)]) {
        let place = Place::of(cursor.context("a message has a cursor")?)?;
        beyond += u64::from(place.position > position);
    }
    Ok(beyond)
}
