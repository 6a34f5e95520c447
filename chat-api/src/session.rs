//! One socket's life: who it is, what it says, what it hears, and its end.

mod deliver;
mod inbound;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite;

use crate::auth::{self, AuthError, Caller};
use crate::hub::Listening;
use crate::message::{Position, RoomId};
use crate::service::Service;
use crate::ws::close::Close;
use crate::ws::frame::{Inbound, Outbound};

/// Sends under way; the socket is not read beyond them.
const SENDS_IN_FLIGHT: usize = 32;
/// A write that makes no progress for this long has nobody at its other end.
const STALL: Duration = Duration::from_secs(15);

/// Why a session ends.
enum End {
    /// We close.
    Close(Close, String),
    /// The other side closed, or is gone.
    Gone,
}

/// A socket and what belongs to it.
pub struct Session {
    service: Arc<Service>,
    socket: WebSocket,
    rooms: BTreeMap<RoomId, Subscription>,
    waker: Arc<Notify>,
    /// Sends under way; each ends in the frame that answers it.
    sends: FuturesUnordered<BoxFuture<'static, Utf8Bytes>>,
    pings: Pings,
    /// When to ask the archive again, if a room waits for it.
    archive_again: Option<Instant>,
}

/// A room that is heard.
struct Subscription {
    /// Everything before was sent. Never falls.
    next: Position,
    /// Where the log ended when the room was subscribed, until `resumed` said so.
    upto: Option<Position>,
    _listening: Listening<Utf8Bytes>,
}

/// When to ping, and until when to wait for the answer.
struct Pings {
    due: Instant,
    answer_by: Option<Instant>,
}

impl Session {
    /// A session on a fresh socket.
    #[must_use]
    pub fn new(service: Arc<Service>, socket: WebSocket) -> Self {
        let pings = Pings { due: Instant::now() + service.patience.ping_every, answer_by: None };
        let (rooms, sends) = (BTreeMap::new(), FuturesUnordered::new());
        Self {
            service,
            socket,
            rooms,
            waker: Arc::new(Notify::new()),
            sends,
            pings,
            archive_again: None,
        }
    }

    /// Runs until either side ends it.
    pub async fn run(mut self, token: Option<String>) {
        let connections = metrics::gauge!("chat_connections");
        connections.increment(1.0);
        let end = match self.live(token).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        connections.decrement(1.0);
        let code = match &end {
            End::Close(close, _) => close.code().to_string(),
            End::Gone => "gone".to_owned(),
        };
        metrics::counter!("chat_closes_total", "code" => code).increment(1);
        if let End::Close(close, reason) = end {
            let close = Message::Close(Some(close.frame(&reason)));
            // The other side may be gone; there is nothing more to do for it.
            let _ = tokio::time::timeout(Duration::from_secs(2), self.say_goodbye(close)).await;
        }
    }

    /// Sends the close frame and reads until the other side answered it, so that the frame is not
    /// lost in a reset of the connection.
    async fn say_goodbye(&mut self, close: Message) {
        if self.socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = self.socket.recv().await {}
        }
    }

    async fn live(&mut self, token: Option<String>) -> Result<std::convert::Infallible, End> {
        let token = match token {
            Some(token) => token,
            None => self.first_frame().await?,
        };
        let mut caller = authenticate(&self.service, &token).await?;
        drop(token);
        let mut expiry = Box::pin(sleep_until(self.expiry(&caller)));
        self.ready(&caller).await?;
        loop {
            // There may be more than a page each; whoever waits meanwhile is heard in between.
            let more = self.deliver().await?;
            match self.next_step(more, expiry.as_mut()).await? {
                Step::Go => {}
                Step::Frame(Inbound::Auth(token)) => {
                    caller = renew(&self.service, &caller, &token).await?;
                    expiry.as_mut().reset(self.expiry(&caller));
                    self.ready(&caller).await?;
                }
                Step::Frame(frame) => self.handle(&caller, frame).await?,
                Step::Answer(answer) => self.send(Message::Text(answer)).await?,
            }
        }
    }

    async fn first_frame(&mut self) -> Result<String, End> {
        let deadline = Instant::now() + self.service.patience.auth;
        let timeout = End::Close(Close::AuthTimeout, "no token in time".to_owned());
        loop {
            let message = tokio::select! {
                () = self.service.draining.cancelled() => return Err(drain()),
                message = tokio::time::timeout_at(deadline, self.socket.recv()) => message,
            };
            let Ok(message) = message else { return Err(timeout) };
            match understand(message)? {
                Some(Inbound::Auth(token)) => return Ok(token),
                Some(_) => return Err(bad_frame("the first frame must be auth")),
                None => {}
            }
        }
    }

    fn expiry(&self, caller: &Caller) -> Instant {
        let left = caller.expires_at - (self.service.sources.now)();
        // A token may pass for a little longer than it lives: then the rest is negative.
        let after =
            chrono::TimeDelta::from_std(self.service.patience.after_expiry).unwrap_or_default();
        Instant::now() + (left + after).to_std().unwrap_or_default()
    }

    async fn ready(&mut self, caller: &Caller) -> Result<(), End> {
        let ready =
            Outbound::Ready { user_id: &caller.author.user_id, expires_at: caller.expires_at };
        self.send(Message::Text(ready.encode())).await
    }

    /// Waits until there is something to do; not at all if there is more to deliver.
    async fn next_step(&mut self, more: bool, expiry: Pin<&mut Sleep>) -> Result<Step, End> {
        let reading = self.sends.len() < SENDS_IN_FLIGHT;
        let ping_at = self.pings.answer_by.unwrap_or(self.pings.due);
        tokio::select! {
            biased;
            () = self.service.draining.cancelled(), if self.sends.is_empty() => Err(drain()),
            () = expiry => Err(End::Close(Close::Expired, "the token has expired".to_owned())),
            Some(answer) = self.sends.next() => Ok(Step::Answer(answer)),
            () = sleep_until(ping_at) => self.ping().await.map(|()| Step::Go),
            message = self.socket.recv(), if reading && !self.service.draining.is_cancelled() => {
                if let Some(Ok(Message::Pong(_))) = &message {
                    self.pings.answer_by = None;
                    self.pings.due = Instant::now() + self.service.patience.ping_every;
                }
                Ok(understand(message)?.map_or(Step::Go, Step::Frame))
            }
            () = at(self.archive_again), if self.archive_again.is_some() => {
                self.archive_again = None;
                Ok(Step::Go)
            }
            () = self.waker.notified(), if !more => Ok(Step::Go),
            () = std::future::ready(()), if more => Ok(Step::Go),
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.pings.answer_by.is_some() {
            return Err(End::Close(Close::NoPong, "no answer to a ping".to_owned()));
        }
        self.pings.answer_by = Some(Instant::now() + self.service.patience.pong_within);
        self.send(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        gone(&tokio::time::timeout(STALL, self.socket.send(message)).await)
    }

    /// Sends many frames in one go.
    async fn send_all(&mut self, frames: Vec<Utf8Bytes>) -> Result<(), End> {
        let socket = &mut self.socket;
        let write = async {
            for frame in frames {
                socket.feed(Message::Text(frame)).await?;
            }
            socket.flush().await
        };
        gone(&tokio::time::timeout(STALL, write).await)
    }
}

async fn authenticate(service: &Service, token: &str) -> Result<Caller, End> {
    auth::authenticate(&service.verifier, token).await.map_err(|error| match error {
        AuthError::Token(dex_tokens::TokenError::Unavailable) => {
            End::Close(Close::TryAgainLater, error.to_string())
        }
        _ => End::Close(Close::BadToken, error.to_string()),
    })
}

async fn renew(service: &Service, caller: &Caller, token: &str) -> Result<Caller, End> {
    let fresh = authenticate(service, token).await?;
    if fresh.author.user_id == caller.author.user_id {
        return Ok(fresh);
    }
    Err(End::Close(Close::BadToken, "the token is somebody else's".to_owned()))
}

async fn at(time: Option<Instant>) {
    if let Some(time) = time {
        sleep_until(time).await;
    }
}

/// What a session does next.
enum Step {
    /// Looks for something to deliver.
    Go,
    /// Does what a frame says.
    Frame(Inbound),
    /// Answers a send.
    Answer(Utf8Bytes),
}

fn gone<E>(written: &Result<Result<(), E>, tokio::time::error::Elapsed>) -> Result<(), End> {
    match written {
        Ok(Ok(())) => Ok(()),
        _ => Err(End::Gone),
    }
}

fn drain() -> End {
    End::Close(Close::Drain, "this replica is leaving".to_owned())
}

fn bad_frame(reason: &str) -> End {
    End::Close(Close::BadFrame, reason.to_owned())
}

/// What came in, as a frame of ours; `None` for what the protocol itself sees to.
fn understand(message: Option<Result<Message, axum::Error>>) -> Result<Option<Inbound>, End> {
    match message {
        Some(Ok(Message::Text(text))) => {
            Inbound::parse(&text).map(Some).map_err(|error| bad_frame(&error.to_string()))
        }
        Some(Ok(Message::Binary(_))) => Err(bad_frame("binary frames are not spoken here")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        None | Some(Ok(Message::Close(_))) => Err(End::Gone),
        Some(Err(error)) => Err(of_read_error(error)),
    }
}

fn of_read_error(error: axum::Error) -> End {
    use tungstenite::Error;
    match error.into_inner().downcast_ref::<Error>() {
        Some(Error::Capacity(_)) => {
            End::Close(Close::TooLarge, "a frame holds 64 KiB at most".to_owned())
        }
        Some(
            Error::Utf8(_) | Error::Protocol(tungstenite::error::ProtocolError::InvalidOpcode(_)),
        ) => bad_frame("not a frame of text"),
        _ => End::Gone,
    }
}
