//! An upgraded connection, as the protocol's implementation reads and writes it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::upgrade::Upgraded;
use service_process::listener::{Halves, ReadHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::Bytes;

use super::line::Line;

/// A connection whose write half is a [`Line`], which others put frames on, too. One write is all or
/// nothing, so that whole frames of the one that writes here stay whole.
pub struct Wire {
    /// What was read before, and not handed on yet. It keeps the whole buffer of the request's head, so it
    /// goes when it is empty.
    before: Option<Bytes>,
    read: ReadHalf,
    line: Arc<Line>,
    /// Our side is closed.
    is_shut: bool,
}

impl Wire {
    /// The connection beneath a WebSocket.
    ///
    /// # Errors
    /// The connection, if it is not one of our listener.
    pub fn of(upgraded: Upgraded) -> Result<Self, Upgraded> {
        let Halves { before, read, write } = Halves::of(upgraded)?;
        let before = Some(before).filter(|before| !before.is_empty());
        Ok(Self { before, read, line: Arc::new(Line::new(write)), is_shut: false })
    }

    /// Its write half.
    #[must_use]
    pub fn line(&self) -> &Arc<Line> {
        &self.line
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut before) = self.before.take() else {
            return Pin::new(&mut self.read).poll_read(context, buffer);
        };
        let length = before.len().min(buffer.remaining());
        buffer.put_slice(&before.split_to(length));
        self.before = Some(before).filter(|before| !before.is_empty());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        frames: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.line.poll_put(context, frames)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line.poll_flush(context)
    }

    /// Closes our side and reads on until the peer has closed its own, within limits.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(self.line.poll_shutdown(context))?;
            self.is_shut = true;
        }
        self.read.poll_drain(context).map(Ok)
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
