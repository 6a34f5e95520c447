//! The system below a line, for tests: it takes so many bytes.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::line::Half;

/// It takes whatever comes.
pub(crate) const OPEN: usize = usize::MAX;

/// A system that takes so many bytes, until it is closed.
#[derive(Debug, Default)]
pub(crate) struct Narrow {
    pub(crate) space: usize,
    pub(crate) taken: Vec<u8>,
    pub(crate) is_closed: bool,
}

impl Half for Narrow {
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(self.space);
        if count == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.taken.extend_from_slice(&bytes[..count]);
        if self.space != OPEN {
            self.space -= count;
        }
        Ok(count)
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.try_write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_closed = true;
        Poll::Ready(Ok(()))
    }
}
