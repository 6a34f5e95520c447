//! What must hold wherever everybody is.

use super::state::{Heard, Socket, State, Task};
use super::{ACK, ADA, BOB, BYE, Elsewhere, FRAME, Model, Out, frame};

/// What stands on a line.
#[derive(Default)]
pub(super) struct OnLine {
    /// Which records, and whether each as it was replaced.
    pub(super) events: Vec<(usize, bool)>,
    resumed: usize,
}

impl Model {
    /// What was put on a line, if it is frames.
    pub(super) fn line(&self, state: &State, socket: usize) -> Result<OnLine, String> {
        let Socket { taken, rest, .. } = &state.sockets[socket];
        let bytes = [taken.as_slice(), &rest.concat()].concat();
        let (mut line, mut left) = (OnLine::default(), bytes.as_slice());
        while !left.is_empty() {
            let frames =
                (0..self.log.len()).flat_map(|offset| [false, true].map(|new| (offset, new)));
            let mut frames = frames.filter(|(offset, new)| left.starts_with(&frame(*offset, *new)));
            let length = if let Some((offset, is_new)) = frames.next() {
                line.events.push((offset, is_new));
                FRAME
            } else if left.starts_with(&ACK) || left == BYE {
                FRAME
            } else if left[0] == 0x81 && left.len() >= 2 + usize::from(left[1]) {
                line.resumed += 1;
                2 + usize::from(left[1])
            } else {
                return Err(format!("no frame: {left:x?} of {bytes:x?}"));
            };
            left = &left[length..];
        }
        Ok(line)
    }

    /// What a subscription is to have had when its place is there.
    pub(super) fn expected(&self, socket: usize, heard: &Heard, next: usize) -> Vec<usize> {
        let mut expected = Vec::new();
        for offset in heard.from..next {
            if self.log[offset] != Elsewhere {
                expected.push(offset);
            }
            if socket == ADA && self.log[offset] == Out && offset >= heard.since {
                break;
            }
        }
        expected
    }

    pub(super) fn check(&self, state: &State) -> Result<(), String> {
        for (socket, mine) in state.sockets.iter().enumerate() {
            let line = self.line(state, socket)?;
            if line.resumed > mine.subscriptions.len() {
                return Err("resumed twice".to_owned());
            }
            let mut ends = mine.subscriptions.iter().skip(1).map(|heard| heard.before);
            for heard in &mine.subscriptions {
                let end = ends.next().unwrap_or(line.events.len());
                let Some(events) = line.events.get(heard.before..end) else {
                    return Err("events of nobody".to_owned());
                };
                let had: Vec<usize> = events.iter().map(|(offset, _)| *offset).collect();
                let next = usize::try_from(heard.state.place.next().raw()).unwrap();
                if had != self.expected(socket, heard, next) {
                    return Err(format!("{had:?} up to {next}"));
                }
            }
        }
        Ok(())
    }

    /// Whether somebody got what was replaced before it was read.
    pub(super) fn is_stale(&self, before: &State, after: &State) -> bool {
        let reads_now = match &before.sweep {
            Some(sweep) => sweep.is_new,
            None => true,
        };
        before.is_replaced
            && reads_now
            && [ADA, BOB].into_iter().any(|socket| {
                let is_putting = matches!(before.sockets[socket].task, Task::Putting(_));
                let [before, after] = [before, after].map(|state| self.line(state, socket));
                let (Ok(before), Ok(after)) = (before, after) else { return false };
                !is_putting && after.events[before.events.len()..].contains(&(0, false))
            })
    }

    /// Nothing happens by itself: whatever there is must have come.
    pub(super) fn check_end(&self, state: &State) -> Result<(), String> {
        for (socket, mine) in state.sockets.iter().enumerate() {
            let Some(heard) = mine.subscriptions.last() else { continue };
            if mine.has_said_bye {
                continue;
            }
            let had = self.line(state, socket)?.events.split_off(heard.before);
            let expected = self.expected(socket, heard, state.pushed);
            if had.len() != expected.len() || !mine.rest.is_empty() {
                return Err(format!("something never comes: {socket}, {had:?} of {expected:?}"));
            }
        }
        Ok(())
    }
}
