//! One connection: a write must make progress, and what we close is closed in order (lingering close).
//!
//! It has two halves, which a handler may take apart once the connection is upgraded.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, Sleep, sleep};

use super::slots::Slot;

/// After we closed our side, a connection ends when nothing has come for this long: longer than
/// what a peer sends takes on any way to us.
const QUIET: Duration = Duration::from_secs(1);
/// It ends when something has come for this long …
const DRAIN: Duration = Duration::from_secs(5);
/// … or this many bytes: much more than any body or frame that is taken, so that whoever sends too
/// much still hears that it is too much.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;

/// The state of a connection that its timers need, and whoever looks for one that is idle.
#[derive(Debug)]
pub(super) struct Activity {
    /// When the connection began.
    from: Instant,
    /// Bytes came since a head is waited for.
    begun: AtomicBool,
    /// A head was waited for before.
    kept: AtomicBool,
    /// Something is to be written, and the peer does not take it.
    stalled: AtomicBool,
    /// Since when a head is waited for: milliseconds of the connection.
    waits_from: AtomicU64,
}

impl Activity {
    /// Of a connection that begins now.
    pub(super) fn begin() -> Self {
        Self {
            from: Instant::now(),
            begun: AtomicBool::default(),
            kept: AtomicBool::default(),
            stalled: AtomicBool::default(),
            waits_from: AtomicU64::default(),
        }
    }

    /// A head is waited for from now on. Whether it is the connection's first, which has begun with
    /// the connection.
    pub(super) fn wait(&self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.from).as_millis();
        self.waits_from.store(u64::try_from(waited).unwrap_or(u64::MAX), Ordering::Relaxed);
        let first = !self.kept.swap(true, Ordering::Relaxed);
        self.begun.store(first, Ordering::Relaxed);
        first
    }

    /// Whether the head that is waited for has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// Since when nothing is asked, by a connection that is kept after an answer. A moment more or less does not
    /// matter.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_kept = self.kept.load(Ordering::Relaxed);
        let is_idle = is_kept && !self.has_begun() && !self.is_stalled();
        is_idle.then(|| self.from + Duration::from_millis(self.waits_from.load(Ordering::Relaxed)))
    }

    /// Whether an answer is still to be taken.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.load(Ordering::Relaxed)
    }
}

/// A connection with its slot. It lives on in what a handler makes of it.
pub(super) struct Connection {
    read: ReadHalf,
    write: WriteHalf,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        slot: Slot,
        activity: Arc<Activity>,
        stall: Duration,
    ) -> Self {
        let (read, write) = stream.into_split();
        let read = ReadHalf { stream: read, activity: Arc::clone(&activity), drain: None };
        let write = WriteHalf { stream: write, slot, activity, stall, stall_timer: None };
        Self { read, write }
    }
}

/// The two directions of an upgraded connection.
pub struct Halves {
    /// What was read of it already, and comes before what [`Halves::read`] reads.
    pub before: Bytes,
    /// From the peer.
    pub read: ReadHalf,
    /// To the peer.
    pub write: WriteHalf,
}

impl Halves {
    /// Takes an upgraded connection apart.
    ///
    /// # Errors
    /// The connection, if it is not one of a [`Listener`](super::Listener).
    pub fn of(upgraded: Upgraded) -> Result<Self, Upgraded> {
        let parts = upgraded.downcast::<TokioIo<Connection>>()?;
        let Connection { read, write } = parts.io.into_inner();
        Ok(Self { before: parts.read_buf, read, write })
    }
}

/// What comes from the peer.
pub struct ReadHalf {
    stream: OwnedReadHalf,
    activity: Arc<Activity>,
    drain: Option<Drain>,
}

/// Our side is closed; what the peer still sends is thrown away.
struct Drain {
    until: Instant,
    bytes: usize,
    quiet: Pin<Box<Sleep>>,
}

impl ReadHalf {
    /// Throws away what still comes, until the peer closes or has said enough: 5 s, 16 MiB, or nothing for
    /// 1 s. For when our side is closed.
    pub fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let drain = self.drain.get_or_insert_with(|| Drain {
            until: Instant::now() + DRAIN,
            bytes: DRAIN_BYTES,
            quiet: Box::pin(sleep(QUIET)),
        });
        let mut space = [MaybeUninit::uninit(); 4096];
        loop {
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            match (read, buffer.filled().len()) {
                (Poll::Pending, _) => return drain.quiet.as_mut().poll(context),
                (Poll::Ready(Ok(())), 1..) => {
                    drain.bytes = drain.bytes.saturating_sub(buffer.filled().len());
                    let now = Instant::now();
                    if drain.bytes == 0 || drain.until <= now {
                        return Poll::Ready(());
                    }
                    drain.quiet.as_mut().reset(drain.until.min(now + QUIET));
                }
                (Poll::Ready(_), _) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for ReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.begun.store(true, Ordering::Relaxed);
        }
        read
    }
}

/// What goes to the peer, with the connection's slot.
pub struct WriteHalf {
    stream: OwnedWriteHalf,
    slot: Slot,
    activity: Arc<Activity>,
    stall: Duration,
    /// Runs while a write makes no progress. Most writes are done at once: they cost no timer.
    stall_timer: Option<Pin<Box<Sleep>>>,
}

impl WriteHalf {
    /// Writes what the system takes at once, and tells how many bytes that is. It is not watched: whoever
    /// has a rest writes that as [`AsyncWrite`], before anything else.
    ///
    /// # Errors
    /// `WouldBlock` if the system takes nothing now; any other means that the connection is lost.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }

    /// A write, ended when the peer takes nothing for too long.
    fn watch(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let was_stalled = self.activity.is_stalled();
        if written.is_ready() {
            if was_stalled {
                self.activity.stalled.store(false, Ordering::Relaxed);
            }
            return written;
        }
        let timer = self.stall_timer.get_or_insert_with(|| Box::pin(sleep(self.stall)));
        if !was_stalled {
            self.activity.stalled.store(true, Ordering::Relaxed);
            timer.as_mut().reset(Instant::now() + self.stall);
        }
        ready!(timer.as_mut().poll(context));
        self.slot.counts.stalls.increment(1);
        // Otherwise the system goes on holding what it has taken for this peer.
        if let Err(error) = self.stream.as_ref().set_zero_linger() {
            tracing::debug!(%error, "the system keeps what was not taken");
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for WriteHalf {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    /// Closes our side. The connection ends in order if the other half is drained then.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.write).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.write.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.write).poll_flush(context)
    }

    /// Closes our side and reads on until the peer has closed its own: with something unread the
    /// system would cut the connection, and the peer lose our last words.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.read.drain.is_none() {
            ready!(Pin::new(&mut self.write).poll_shutdown(context))?;
        }
        self.read.poll_drain(context).map(Ok)
    }
}
