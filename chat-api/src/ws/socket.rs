//! The socket below its frames: how much of it is read at once, and how many frames come.

use std::io;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, RateLimiter};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::frame::MAX_BYTES;
use super::wire::Wire;
use crate::rate::Rate;

/// The default of 128 KiB stays with every idle socket, and is filled with zeros each time one looks.
/// What people type fits this; a longer frame is read in several goes.
const READ_BUFFER: usize = 2048;

/// The opcode of a close.
const CLOSE: u8 = 0x08;
/// What is read of a client that was told to end, in bytes: much more than any frame that is taken …
const GOODBYE_BYTES: usize = 16 * 1024 * 1024;
/// … and for how long nothing may come meanwhile.
const GOODBYE_QUIET: Duration = Duration::from_secs(2);

/// A socket that messages are read from and written to.
pub type Socket = WebSocketStream<Counted<Wire>>;

/// Speaks WebSocket on a connection whose other side may send frames at this rate.
pub async fn of(wire: Wire, frames: Rate) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_frame_size(Some(MAX_BYTES))
        .max_message_size(Some(MAX_BYTES));
    let stream = Counted::new(wire, frames);
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

/// The other side sent more frames than its rate lets it.
#[derive(Debug, thiserror::Error)]
#[error("too many frames")]
pub struct TooManyFrames;

/// A connection whose frames are counted as they are read: those, too, of which the protocol's
/// implementation never tells, such as the parts of a message.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    frames: Frames,
    limit: DefaultDirectRateLimiter,
    /// The other side says nothing more.
    is_over: bool,
}

impl<S> Counted<S> {
    fn new(stream: S, rate: Rate) -> Self {
        let (frames, limit) = (Frames::default(), RateLimiter::direct(rate.quota()));
        Self { stream, frames, limit, is_over: false }
    }
}

impl<S: AsyncRead + Unpin> Counted<S> {
    /// Throws away what comes, until the other side's close or its end has come. At once if it has come
    /// already. Whoever is told to end answers behind all that it was sending, and takes a connection
    /// that ends before for a broken one.
    pub async fn until_close(&mut self) {
        // An array would be a part of the task, and take its 4 KiB as long as the socket is open.
        let mut buffer = vec![0; 4096];
        let mut bytes = 0;
        while !self.is_over && !self.frames.is_closed && bytes < GOODBYE_BYTES {
            match timeout(GOODBYE_QUIET, self.stream.read(&mut buffer)).await {
                Ok(Ok(read)) if read > 0 => {
                    self.frames.begun(&buffer[..read]);
                    bytes += read;
                }
                _ => self.is_over = true,
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, buffer));
        self.is_over = read.is_err() || buffer.filled().len() == before;
        read?;
        let begun = self.frames.begun(&buffer.filled()[before..]);
        let is_within = NonZeroU32::new(begun)
            .is_none_or(|begun| matches!(self.limit.check_n(begun), Ok(Ok(()))));
        Poll::Ready(if is_within { Ok(()) } else { Err(io::Error::other(TooManyFrames)) })
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where in its frames a stream of bytes is (RFC 6455 §5.2).
#[derive(Debug, Default)]
struct Frames {
    /// What is known of a frame's header, up to its length.
    header: [u8; 10],
    known: usize,
    /// What follows that header: the mask and the payload.
    rest: u64,
    /// A close has come.
    is_closed: bool,
}

impl Frames {
    /// How many frames begin in the next bytes.
    fn begun(&mut self, mut bytes: &[u8]) -> u32 {
        let mut begun = 0;
        loop {
            let skipped =
                usize::try_from(self.rest).map_or(bytes.len(), |rest| rest.min(bytes.len()));
            bytes = &bytes[skipped..];
            self.rest -= skipped as u64;
            let Some((first, after)) = bytes.split_first() else { return begun };
            bytes = after;
            if self.known == 0 {
                begun += 1;
                self.is_closed |= *first & 0x0f == CLOSE;
            }
            self.header[self.known] = *first;
            self.known += 1;
            if let Some(rest) = rest(&self.header[..self.known]) {
                (self.rest, self.known) = (rest, 0);
            }
        }
    }
}

/// What follows a header, in bytes, if the header is whole.
fn rest(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let payload = match second & 0x7f {
        126 => u64::from(u16::from_be_bytes(header.get(2..4)?.try_into().ok()?)),
        127 => u64::from_be_bytes(header.get(2..10)?.try_into().ok()?),
        short => u64::from(short),
    };
    Some(payload.saturating_add(mask))
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
