//! One socket's life: who it is, what it says, what it hears, and its end.

mod authenticated;
mod completed;
mod deliver;
mod end;
mod feed;
mod inbound;
mod markers;
mod notices;
mod place;
mod reading;
mod subscription;
mod timer;
mod wanted;

use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{SinkExt as _, poll};
use service_process::network::Network;
use tokio::io::AsyncWriteExt as _;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use crate::metrics;
use crate::presence::Visit;
use crate::service::Service;
use crate::sockets::{Seat, SocketCommand};
use crate::ws::close::Close;
use crate::ws::frame::{Credentials, Inbound, Outbound};
use crate::ws::line::Line;
use crate::ws::socket::Socket;
use authenticated::AuthenticatedSession;
use completed::Completed;
use end::End;
use notices::Notebook;
use reading::Reading;
use subscription::Subscription;
use timer::Timer;
use wanted::WantedRooms;

pub use place::{Place, ReadEnd};

/// The most sends under way on one socket: with as many, it is not read.
const SENDS_IN_FLIGHT: usize = 32;
/// How long it may take to tell the other side that this is the end, and to hear its close.
const GOODBYE: Duration = Duration::from_secs(5);
/// How long a close may take that the other side takes no part in.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// What a handshake tells of whoever it comes from.
pub struct Arrival {
    /// The token that came with it.
    pub token: Option<String>,
    /// The network that it counts for if it is a guest's, where guests are let in.
    pub network: Option<Network>,
}

/// A socket and what belongs to it.
pub struct Session {
    service: Arc<Service>,
    socket: Socket,
    /// What the socket is written to, by sweeps too.
    line: Arc<Line>,
    seat: Seat,
    /// Whose connection this is, to those who count.
    visit: Option<Visit>,
    rooms: Vec<Subscription>,
    wanted: WantedRooms,
    /// What the person is told of other rooms, once it is known who that is.
    notebook: Option<Notebook>,
    /// The room to look at first, so that a busy one does not keep the others waiting.
    turn: usize,
    /// Sends to the log, signs of typing and pages of the archive that are under way.
    work: FuturesUnordered<BoxFuture<'static, Completed>>,
    sends: usize,
    reading: Reading,
    pings: Pings,
    /// When this socket closes because the replica leaves.
    leave: Option<Instant>,
}

/// Why a session goes on.
enum Wakeup {
    /// There may be something to deliver, or a command.
    Deliver,
    /// A frame came in.
    Frame(Inbound),
    /// A send was answered, or a page was read.
    Completed(Completed),
    /// The timer has come to a moment at which something is due.
    Due,
}

/// When to ping, and how much longer to read for the answer to a ping that was written.
struct Pings {
    due: Instant,
    left: Option<Duration>,
}

impl Session {
    /// A session on a fresh socket, which is written to that line.
    #[must_use]
    pub fn new(service: Arc<Service>, socket: Socket, line: Arc<Line>) -> Self {
        let pings = Pings { due: Instant::now() + service.timeouts.ping_every, left: None };
        Self {
            seat: service.sockets.admit(),
            service,
            socket,
            line,
            visit: None,
            rooms: Vec::new(),
            wanted: WantedRooms::default(),
            notebook: None,
            turn: 0,
            work: FuturesUnordered::new(),
            sends: 0,
            reading: Reading::default(),
            pings,
            leave: None,
        }
    }

    /// Runs until either side ends it.
    pub async fn run(mut self, arrival: Arrival) {
        let connections = ::metrics::gauge!(metrics::CONNECTIONS);
        connections.increment(1.0);
        let end = match self.live(arrival).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        connections.decrement(1.0);
        ::metrics::counter!(metrics::CLOSES, "code" => end.code()).increment(1);
        let Self { socket, line, seat, visit, rooms, work, .. } = self;
        // No event follows the close.
        drop((rooms, line, seat, visit, work));
        close_socket(socket, end).await;
    }

    async fn live(&mut self, arrival: Arrival) -> Result<Infallible, End> {
        let Arrival { token, network } = arrival;
        let credentials = match token {
            Some(token) => Credentials::Token(token),
            None => self.first_frame().await?,
        };
        let mut authenticated = self.enter(credentials, network).await?;
        let mut timer = Timer::new(self.next_moment(&authenticated, true));
        loop {
            self.follow_command().await?;
            self.tell_own_markers(&authenticated.visitor).await?;
            self.tell_notes().await?;
            // There may be more than a turn's worth; whoever waits meanwhile is heard in between.
            let more = self.deliver(&authenticated.visitor).await?;
            match self.next_wakeup(more, &authenticated, &mut timer).await? {
                Wakeup::Deliver => {}
                Wakeup::Frame(Inbound::Auth(credentials)) => {
                    self.renew(&mut authenticated, credentials).await?;
                }
                Wakeup::Frame(frame) => self.handle(&authenticated, frame).await?,
                Wakeup::Completed(done) => self.finish(&authenticated.visitor, done).await?,
                Wakeup::Due => self.see_to_time(&mut authenticated).await?,
            }
        }
    }

    async fn first_frame(&mut self) -> Result<Credentials, End> {
        let deadline = Instant::now() + self.service.timeouts.auth;
        loop {
            let message = tokio::select! {
                () = self.seat.wake().notified() => match self.seat.command() {
                    Some(command) => return Err(End::of_command(command)),
                    None => continue,
                },
                message = tokio::time::timeout_at(deadline, self.socket.next()) => message,
            };
            let message = message
                .map_err(|_| End::Close(Close::AuthTimeout, "no token in time".to_owned()))?;
            match end::understand(message)? {
                Some(Inbound::Auth(credentials)) => return Ok(credentials),
                Some(_) => return Err(End::bad_frame("the first frame must be auth")),
                None => {}
            }
        }
    }

    /// Does what the replica tells all or some of its sockets.
    async fn follow_command(&mut self) -> Result<(), End> {
        match self.seat.command() {
            None => Ok(()),
            Some(SocketCommand::Drain) => self.drain().await,
            Some(command) => Err(End::of_command(command)),
        }
    }

    /// Says when this socket will close, and closes it when that time has come and everything it
    /// sent is answered.
    async fn drain(&mut self) -> Result<(), End> {
        let leave = if let Some(leave) = self.leave {
            leave
        } else {
            let over = self.service.timeouts.drain_over;
            let after = over.mul_f64(share(self.service.sources.random));
            let leave = *self.leave.insert(Instant::now() + after);
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            self.say(&Outbound::Drain { after }).await?;
            leave
        };
        if leave <= Instant::now() && self.sends == 0 {
            return Err(End::of_command(SocketCommand::Drain));
        }
        Ok(())
    }

    /// Waits until there is something to do; not at all if there is more to deliver.
    async fn next_wakeup(
        &mut self,
        more: bool,
        authenticated: &AuthenticatedSession,
        timer: &mut Timer,
    ) -> Result<Wakeup, End> {
        let left = self.leave.is_some_and(|leave| leave <= Instant::now());
        let reading = self.sends < SENDS_IN_FLIGHT && !left;
        let moment = self.next_moment(authenticated, reading);
        let began = self.pings.left.filter(|_| reading).map(|_| Instant::now());
        let message = {
            let Self { work, socket, seat, .. } = self;
            let mut notified = pin!(seat.wake().notified());
            let mut woken = false;
            poll_fn(|context| {
                // A notification is why it wakes nearly always. It is not asked for first at first, so
                // that the rest has its turn however often there is one.
                if mem::replace(&mut woken, true) && notified.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(Wakeup::Deliver));
                }
                if !work.is_empty()
                    && let Poll::Ready(Some(done)) = work.poll_next_unpin(context)
                {
                    return Poll::Ready(Err(Wakeup::Completed(done)));
                }
                // Before the timer: what has come was not late.
                if reading && let Poll::Ready(message) = socket.poll_next_unpin(context) {
                    return Poll::Ready(Ok(message));
                }
                if timer.poll(moment, context).is_ready() {
                    return Poll::Ready(Err(Wakeup::Due));
                }
                if more || notified.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(Wakeup::Deliver));
                }
                Poll::Pending
            })
            .await
        };
        // The time in which nothing is read does not count.
        if let (Some(left), Some(began)) = (&mut self.pings.left, began) {
            *left = left.saturating_sub(began.elapsed());
        }
        match message {
            Ok(message) => self.heard(message),
            Err(wakeup) => Ok(wakeup),
        }
    }

    fn heard(&mut self, message: Option<Result<Message, Error>>) -> Result<Wakeup, End> {
        if let Some(Ok(Message::Pong(_))) = &message {
            self.pings =
                Pings { due: Instant::now() + self.service.timeouts.ping_every, left: None };
        }
        Ok(end::understand(message)?.map_or(Wakeup::Deliver, Wakeup::Frame))
    }

    /// When something is due next.
    fn next_moment(&self, authenticated: &AuthenticatedSession, reading: bool) -> Instant {
        let rooms = self.rooms.iter().filter_map(Subscription::due);
        // After that moment the socket waits for its last answer only.
        let leave = self.leave.filter(|leave| self.sends == 0 || *leave > Instant::now());
        let ping = match self.pings.left {
            None => Some(self.pings.due),
            Some(left) => reading.then(|| Instant::now() + left),
        };
        // Nothing may be due: then it is looked again.
        let again = Instant::now() + self.service.timeouts.ping_every;
        rooms
            .chain(self.wanted.due())
            .chain(self.notebook.as_ref().and_then(Notebook::due))
            .chain(leave)
            .chain(authenticated.warn)
            .chain(authenticated.end)
            .chain(ping)
            .fold(again, Instant::min)
    }

    async fn see_to_time(&mut self, authenticated: &mut AuthenticatedSession) -> Result<(), End> {
        let now = Instant::now();
        if authenticated.end.is_some_and(|end| end <= now) {
            return Err(End::Close(Close::Expired, "the token has expired".to_owned()));
        }
        if authenticated.warn.take_if(|warn| *warn <= now).is_some()
            && let Some(expires_at) = authenticated.expires_at()
        {
            self.say(&Outbound::AuthExpiring { expires_at }).await?;
        }
        match self.pings.left {
            Some(Duration::ZERO) => {
                return Err(End::Close(Close::NoPong, "no answer to a ping".to_owned()));
            }
            None if self.pings.due <= now => {
                self.send(Message::Ping(Bytes::new())).await?;
                self.pings.left = Some(self.service.timeouts.pong_within);
            }
            _ => {}
        }
        self.wanted.see_to_time(now);
        self.load_next(&authenticated.visitor);
        self.resume_postponed(now).await
    }

    async fn say(&mut self, frame: &Outbound<'_>) -> Result<(), End> {
        self.send(Message::Text(frame.encode())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        end::written(&in_time(self.service.timeouts.stall, self.socket.send(message)).await)
    }

    /// Waits until the system has all that was put on the line; a client that does not take it in time is
    /// given up.
    async fn flush(&mut self) -> Result<(), End> {
        if !self.line.is_blocked() {
            return Ok(());
        }
        end::written(&in_time(self.service.timeouts.stall, self.socket.flush()).await)
    }
}

/// Ends a socket so that the other side learns of it: says why, if we end it, or answers its close;
/// waits for its answer; and closes the connection in order. Otherwise a peer that is
/// still sending loses our last words.
async fn close_socket(mut socket: Socket, end: End) {
    let told = async {
        if let End::Close(close, reason) = end {
            socket.send(Message::Close(Some(close.frame(&reason)))).await?;
        }
        // Answers the other side's close, too.
        while socket.next().await.transpose()?.is_some() {}
        Ok::<(), Error>(())
    };
    if let Ok(Err(error)) = timeout(LAST_WRITE, told).await {
        tracing::debug!(%error, "a socket did not end by its protocol");
    }
    let connection = socket.get_mut();
    if timeout(GOODBYE, connection.until_close()).await.is_err() {
        tracing::debug!("a client does not stop sending");
    }
    if let Err(error) = connection.shutdown().await {
        tracing::debug!(%error, "a connection did not end in order");
    }
}

/// A write with a limit. Most are done at once: they cost no timer.
async fn in_time<T>(limit: Duration, write: impl Future<Output = T>) -> Result<T, Elapsed> {
    let mut write = pin!(write);
    match poll!(write.as_mut()) {
        Poll::Ready(written) => Ok(written),
        Poll::Pending => timeout(limit, write).await,
    }
}

/// A random number from 0 to 1.
fn share(random: fn() -> [u8; 10]) -> f64 {
    let [high, low, ..] = random();
    f64::from(u16::from_be_bytes([high, low])) / f64::from(u16::MAX)
}

#[cfg(test)]
#[path = "session/model_tests.rs"]
mod model_tests;
