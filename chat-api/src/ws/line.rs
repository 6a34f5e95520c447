//! The write half of a socket's connection, for everybody who has something to send on it.
//!
//! Whoever writes, writes whole frames. What the system does not take at once is kept and goes first, so
//! that frames never run into each other and go in the order in which they were put.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use service_process::listener::WriteHalf;
use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::Bytes;

/// What a line writes to.
pub trait Half: AsyncWrite + Unpin {
    /// Writes what the system takes at once; how many bytes that is.
    ///
    /// # Errors
    /// `WouldBlock` if it takes nothing now; any other means that the connection is lost.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize>;
}

impl Half for WriteHalf {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WriteHalf::try_write(self, bytes)
    }
}

/// What became of frames that were offered to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// The system has all of them.
    Taken,
    /// They are on the line, which is to be flushed.
    Kept,
    /// They are not sent: something waits there already.
    Declined,
}

/// The write half of a connection. Nobody else writes to it.
pub struct Line<H = WriteHalf> {
    out: Mutex<Out<H>>,
}

struct Out<H> {
    half: H,
    /// What the system did not take yet, in order. Nothing is written past it.
    rest: VecDeque<Bytes>,
    /// Nothing can be written any more.
    is_lost: bool,
}

impl<H: Half> Line<H> {
    /// The line to that half, on which whatever was written before is whole frames.
    #[must_use]
    pub fn new(half: H) -> Self {
        Self { out: Mutex::new(Out { half, rest: VecDeque::new(), is_lost: false }) }
    }

    /// Whether something waits until the system takes it, or nothing can be written any more. Then its
    /// socket's task has to flush, which tells which of the two it is.
    pub fn is_blocked(&self) -> bool {
        let out = self.lock();
        out.is_lost || !out.rest.is_empty()
    }

    /// Puts whole frames on the line, without waiting: what the system does not take is kept. Whether the
    /// system has all of it.
    pub fn put(&self, frames: &Bytes) -> bool {
        self.lock().put(frames, |taken| frames.slice(taken..))
    }

    /// Puts whole frames on the line if nothing waits there, without waiting.
    pub fn offer(&self, frames: &Bytes) -> Offered {
        let mut out = self.lock();
        if out.is_lost || !out.rest.is_empty() {
            return Offered::Declined;
        }
        if out.put(frames, |taken| frames.slice(taken..)) { Offered::Taken } else { Offered::Kept }
    }

    /// Puts whole frames on the line once nothing is kept any more: all of them.
    ///
    /// # Errors
    /// The connection is lost.
    pub(crate) fn poll_put(
        &self,
        context: &mut Context<'_>,
        frames: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut out = self.lock();
        ready!(out.poll_flush(context))?;
        out.put(frames, |taken| Bytes::copy_from_slice(&frames[taken..]));
        Poll::Ready(if out.is_lost { Err(lost()) } else { Ok(frames.len()) })
    }

    /// Ready when the system has all that was put.
    ///
    /// # Errors
    /// The connection is lost; `TimedOut` if that is because the peer takes nothing.
    pub(crate) fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_flush(context)
    }

    /// Closes our side. What is kept is given up.
    pub(super) fn poll_shutdown(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut out = self.lock();
        out.give_up();
        Pin::new(&mut out.half).poll_shutdown(context)
    }

    fn lock(&self) -> MutexGuard<'_, Out<H>> {
        // Nothing panics between a write and the note of it.
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Half> Out<H> {
    fn put(&mut self, frames: &[u8], keep: impl FnOnce(usize) -> Bytes) -> bool {
        if self.is_lost {
            return false;
        }
        let mut taken = 0;
        if self.rest.is_empty() {
            taken = match self.half.try_write(frames) {
                Ok(taken) => taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
                Err(_) => {
                    self.give_up();
                    return false;
                }
            };
        }
        if taken == frames.len() {
            return true;
        }
        self.rest.push_back(keep(taken));
        false
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_lost {
            return Poll::Ready(Err(lost()));
        }
        while let Some(first) = self.rest.front_mut() {
            let written = match ready!(Pin::new(&mut self.half).poll_write(context, first)) {
                Ok(0) => Err(ErrorKind::WriteZero.into()),
                written => written,
            };
            match written {
                Ok(written) if written == first.len() => _ = self.rest.pop_front(),
                Ok(written) => *first = first.slice(written..),
                Err(error) => {
                    self.give_up();
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn give_up(&mut self) {
        self.is_lost = true;
        self.rest.clear();
    }
}

fn lost() -> io::Error {
    ErrorKind::BrokenPipe.into()
}

#[cfg(test)]
impl<H: Half> Line<H> {
    /// A line that keeps this.
    pub(crate) fn restored(half: H, rest: Vec<Bytes>) -> Self {
        Self { out: Mutex::new(Out { half, rest: rest.into(), is_lost: false }) }
    }

    /// What it writes to, and what it keeps.
    pub(crate) fn parts(self) -> (H, Vec<Bytes>) {
        let out = self.out.into_inner().unwrap_or_else(PoisonError::into_inner);
        (out.half, out.rest.into())
    }

    /// Has something written as if nothing was kept.
    pub(crate) fn ignoring_rest(&self, write: impl FnOnce()) {
        let rest = std::mem::take(&mut self.lock().rest);
        write();
        let mut out = self.lock();
        let written = std::mem::replace(&mut out.rest, rest);
        out.rest.extend(written);
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
