//! What a socket tells its person of rooms that it does not hear.

use tokio::time::Instant;

use super::Session;
use super::end::End;
use crate::notices::{Notes, Notified};
use crate::ws::frame::Outbound;

/// Rooms of one frame: so many fit, whatever they are called and whatever was said there.
const ROOMS: usize = 64;

/// The notes for this socket, and when the next ones of what was said may be told.
pub(super) struct Notebook {
    notified: Notified,
    activity_after: Instant,
}

impl Notebook {
    pub(super) fn new(notified: Notified) -> Self {
        Self { notified, activity_after: Instant::now() }
    }

    /// What this socket is told.
    pub(super) fn notified(&self) -> &Notified {
        &self.notified
    }

    /// When something is to be told that waits.
    pub(super) fn due(&self) -> Option<Instant> {
        self.notified.inbox().has_news().then_some(self.activity_after)
    }
}

impl Session {
    /// Tells what was noted: memberships at once, what was said as often as it may be.
    pub(super) async fn tell_notes(&mut self) -> Result<(), End> {
        let pause = self.service.timeouts.activity_every;
        let Some(book) = self.notebook.as_mut().filter(|book| book.notified.inbox().has_news())
        else {
            return Ok(());
        };
        let now = Instant::now();
        let Notes { added, removed, activity } =
            book.notified.inbox().take(book.activity_after <= now);
        if !activity.is_empty() {
            book.activity_after = now + pause;
        }
        for added in added.chunks(ROOMS) {
            self.say(&Outbound::Rooms { added, removed: &[], activity: &[] }).await?;
        }
        for removed in removed.chunks(ROOMS) {
            self.say(&Outbound::Rooms { added: &[], removed, activity: &[] }).await?;
        }
        for activity in activity.chunks(ROOMS) {
            self.say(&Outbound::Rooms { added: &[], removed: &[], activity }).await?;
        }
        Ok(())
    }
}
