//! One connection: from the handshake to its end.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::BoxFuture;
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use rand::RngExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use url::Url;
use uuid::Uuid;

use super::command::{ClientCommand, Cut};
use super::life::{End, Life, Pending, doubt};
use super::record::lock;
use super::saying::{Acked, Refused, Saying};
use crate::chat::close::CUT;
use crate::chat::frame::{Incoming, Outgoing};
use crate::chat::place::Place;
use crate::chat::transcript::Taking;
use crate::oidc::Token;

/// For TCP and the handshake. A frozen replica's kernel takes connections that nobody answers.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// For `ready`, and for a frame to be taken by the kernel.
const ANSWER: Duration = Duration::from_secs(10);
/// A server answers a send within 5 s of Kafka's and 2 s of its own; beyond that the answer is lost.
const ACK: Duration = Duration::from_secs(12);
/// Silence after which the server is asked for a sign of life, and after which it has none.
const SILENCE: Duration = Duration::from_secs(8);
/// What a client waits before it repeats a refused send, at most.
const REPEAT: Duration = Duration::from_millis(600);
/// How much longer than it said a replica that leaves may stay. Until then everything goes on.
const LEAVING: Duration = Duration::from_secs(5);
/// The default of 128 KiB is much for a thousand clients in one process.
const READ_BUFFER: usize = 8 * 1024;

/// There is no such room for this person.
const UNKNOWN_ROOM: &str = "unknown-room";
/// Refusals that no repetition changes.
const FOR_GOOD: [&str; 9] = [
    "missing-token",
    UNKNOWN_ROOM,
    "empty-content",
    "content-too-large",
    "unstorable-content",
    "conflict",
    "idempotency-conflict",
    "invalid-key",
    "refused",
];

type Socket = WebSocketStream<TcpStream>;

/// A connection of a client.
pub(super) struct Connection<'a> {
    life: &'a mut Life,
    socket: Socket,
    renewal: Option<BoxFuture<'static, Result<Token>>>,
    /// When the server has said nothing for too long.
    quiet_at: Instant,
    asked: bool,
    /// When this client goes because the replica leaves.
    leave_at: Option<Instant>,
}

impl<'a> Connection<'a> {
    /// Connects, and lives until the end.
    pub(super) async fn live(life: &'a mut Life) -> End {
        let connected = timeout(HANDSHAKE, connect(life.replica(), life.settings.receive_buffer));
        let Ok(Ok(socket)) = connected.await else { return End::Failed };
        let quiet_at = Instant::now() + SILENCE;
        let mut connection =
            Self { life, socket, renewal: None, quiet_at, asked: false, leave_at: None };
        match connection.begin().await {
            Ok(()) => connection.go_on().await,
            Err(end) => end,
        }
    }

    /// Says who it is, waits until that is accepted, and subscribes from where it was.
    async fn begin(&mut self) -> Result<(), End> {
        match &self.life.settings.wallet {
            Some(wallet) => {
                let token = wallet.token().await;
                self.send(&Outgoing::Auth { token: token.expose() }).await?;
            }
            None => self.send(&Outgoing::Guest { guest: true }).await?,
        }
        let ready = async {
            loop {
                let message = self.socket.next().await;
                if let Some(Ok(Message::Text(text))) = &message
                    && matches!(serde_json::from_str(text), Ok(Incoming::Ready {}))
                {
                    return Ok(());
                }
                ended(message)?;
            }
        };
        timeout(ANSWER, ready).await.map_err(|_| End::Failed)??;
        self.subscribe().await?;
        lock(&self.life.record).connections += 1;
        self.life.connected();
        Ok(())
    }

    async fn subscribe(&mut self) -> Result<(), End> {
        let cursor = lock(&self.life.record).transcript.at().map(Place::cursor);
        let room = self.life.settings.room.clone();
        self.send(&Outgoing::Subscribe { rooms: [(&*room, cursor.as_deref())].into() }).await
    }

    async fn go_on(mut self) -> End {
        loop {
            if let Err(end) = self.step().await {
                return end;
            }
        }
    }

    async fn step(&mut self) -> Result<(), End> {
        let leaving = self.leave_at.is_some();
        let again_at =
            self.life.pending.as_ref().map_or_else(Instant::now, |pending| pending.again_at);
        tokio::select! {
            message = self.socket.next() => match message {
                Some(Ok(Message::Text(text))) => self.hear(&text).await,
                other => ended(other),
            },
            command = self.life.commands.recv() => match command {
                Some(command) => self.follow(command).await,
                None => Err(End::Over),
            },
            Some(saying) = self.life.sayings.recv(), if self.life.pending.is_none() => {
                self.begin_to_say(saying).await
            }
            () = sleep_until(again_at), if self.life.pending.is_some() => self.say_again().await,
            token = due(self.renewal.as_mut()), if self.renewal.is_some() => {
                self.renewal = None;
                // Without a fresh one the server closes when the old one has expired, and the client comes back.
                let Ok(token) = token else { return Ok(()) };
                lock(&self.life.record).renewals += 1;
                self.send(&Outgoing::Auth { token: token.expose() }).await
            }
            () = sleep_until(self.quiet_at) => self.ask().await,
            () = sleep_until(self.leave_at.unwrap_or(self.quiet_at)), if leaving => {
                let _ = timeout(ANSWER, self.socket.close(None)).await;
                Err(End::Drained)
            }
        }
    }

    /// Too quiet: asks for a sign of life once, and takes further silence for the end.
    async fn ask(&mut self) -> Result<(), End> {
        if std::mem::replace(&mut self.asked, true) {
            return Err(End::Closed(CUT, "no sign of life".into()));
        }
        self.quiet_at = Instant::now() + SILENCE;
        self.send(&Outgoing::Ping).await
    }

    async fn follow(&mut self, command: ClientCommand) -> Result<(), End> {
        match command {
            ClientCommand::Cut(Cut::Abruptly) => Err(End::Cut),
            ClientCommand::Cut(Cut::Politely) => {
                let _ = timeout(ANSWER, self.socket.close(None)).await;
                Err(End::Cut)
            }
            ClientCommand::Stall(time) => {
                sleep(time).await;
                self.quiet_at = Instant::now() + SILENCE;
                Ok(())
            }
            ClientCommand::Subscribe => self.subscribe().await,
        }
    }

    async fn begin_to_say(&mut self, saying: Saying) -> Result<(), End> {
        self.life.pending = Some(Pending {
            reference: saying.key.clone(),
            saying,
            unanswered: false,
            was_unknown: false,
            again_at: Instant::now(),
        });
        self.say_again().await
    }

    /// Sends what has no answer yet; for the first time, or because the answer is lost.
    async fn say_again(&mut self) -> Result<(), End> {
        let Some(pending) = &mut self.life.pending else { return Ok(()) };
        if std::mem::replace(&mut pending.unanswered, true) {
            doubt(pending, &self.life.record);
        }
        pending.again_at = Instant::now() + ACK;
        let Saying { content, key, .. } = &pending.saying;
        let room_id = &self.life.settings.room;
        let send = Outgoing::Send { r#ref: &pending.reference, room_id, content, key };
        write(&mut self.socket, send.text()).await
    }

    async fn hear(&mut self, text: &str) -> Result<(), End> {
        self.quiet_at = Instant::now() + SILENCE;
        self.asked = false;
        let frame = match serde_json::from_str(text) {
            Ok(frame) => frame,
            Err(error) => {
                lock(&self.life.record).faults.push(format!("a frame is malformed: {error}"));
                return Ok(());
            }
        };
        match frame {
            Incoming::Event { cur, prev, event, .. } => {
                return self.take(&cur, prev.as_deref(), event.message_id).await;
            }
            Incoming::Ack { r#ref, message_id, cursor } => {
                self.acked(&r#ref, message_id, cursor.as_deref());
            }
            Incoming::Nack { r#ref, code, .. } => self.refused(&r#ref, code),
            Incoming::Resumed { upto, .. } => {
                let upto = self.place(&upto);
                let mut record = lock(&self.life.record);
                record.online = true;
                if let Some(upto) = upto {
                    record.transcript.resumed(upto);
                }
            }
            Incoming::Reset { oldest, .. } => {
                let oldest = self.place(&oldest);
                let oldest =
                    oldest.ok_or_else(|| End::Closed(CUT, "a cursor of no place".into()))?;
                lock(&self.life.record).transcript.reset(oldest);
                return self.subscribe().await;
            }
            Incoming::Behind {} => lock(&self.life.record).behind += 1,
            Incoming::AuthExpiring {} => {
                if let Some(wallet) = self.life.settings.wallet.clone() {
                    self.renewal = Some(Box::pin(async move { wallet.renew().await }));
                }
            }
            Incoming::Drain { after } => {
                self.leave_at = Some(Instant::now() + Duration::from_millis(after) + LEAVING);
            }
            Incoming::Error { code, .. } if code == UNKNOWN_ROOM => {
                lock(&self.life.record).shut_out += 1;
            }
            Incoming::Error { code, detail, .. } => {
                lock(&self.life.record).faults.push(format!("{code}: {detail}"));
            }
            // What is told of people is nobody's loss, and needs no answer.
            Incoming::Counts { .. }
            | Incoming::Typing { .. }
            | Incoming::Ready {}
            | Incoming::Pong
            | Incoming::Unknown => {}
        }
        Ok(())
    }

    async fn take(&mut self, cur: &str, prev: Option<&str>, id: Uuid) -> Result<(), End> {
        let prev = prev.and_then(|prev| self.place(prev));
        let Some(cur) = self.place(cur) else { return Ok(()) };
        let taking = lock(&self.life.record).transcript.event(cur, prev, id);
        if taking == Taking::AfterHole { self.subscribe().await } else { Ok(()) }
    }

    fn acked(&mut self, reference: &str, id: Uuid, cursor: Option<&str>) {
        let place = cursor.and_then(|cursor| self.place(cursor));
        // An answer to a send that was answered before, or is another client's affair.
        let ours = |pending: &mut Pending| pending.reference == reference;
        let Some(pending) = self.life.pending.take_if(ours) else { return };
        lock(&self.life.record).settled += u64::from(pending.was_unknown);
        let _ = pending.saying.answer.send(Ok(Acked { id, place }));
    }

    fn refused(&mut self, reference: &str, code: String) {
        let Some(pending) = self.life.pending.as_mut() else { return };
        if pending.reference != reference {
            return;
        }
        pending.unanswered = false;
        if code == "unknown-outcome" {
            doubt(pending, &self.life.record);
        }
        if !FOR_GOOD.contains(&code.as_str()) {
            pending.again_at = Instant::now() + REPEAT.mul_f64(self.life.random.random());
            *lock(&self.life.record).refusals.entry(code).or_default() += 1;
        } else if let Some(pending) = self.life.pending.take() {
            let _ = pending.saying.answer.send(Err(Refused(code)));
        }
    }

    /// What a cursor holds; one that is none is a fault of the server.
    fn place(&self, cursor: &str) -> Option<Place> {
        Place::of(cursor)
            .map_err(|error| lock(&self.life.record).faults.push(format!("{cursor}: {error}")))
            .ok()
    }

    async fn send(&mut self, frame: &Outgoing<'_>) -> Result<(), End> {
        write(&mut self.socket, frame.text()).await
    }
}

async fn write(socket: &mut Socket, text: String) -> Result<(), End> {
    match timeout(ANSWER, socket.send(Message::text(text))).await {
        Ok(Ok(())) => Ok(()),
        // A close frame may be waiting to be read, and tells more than a failed write.
        Ok(Err(_)) => loop {
            ended(timeout(ANSWER, socket.next()).await.unwrap_or_default())?;
        },
        Err(_) => Err(End::Closed(CUT, "the server takes nothing".into())),
    }
}

/// Whether a message is the end, and which.
fn ended(
    message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
) -> Result<(), End> {
    match message {
        Some(Ok(Message::Close(Some(frame)))) => {
            Err(End::Closed(frame.code.into(), frame.reason.to_string()))
        }
        Some(Ok(Message::Close(None)) | Err(_)) | None => Err(End::Closed(CUT, String::new())),
        Some(Ok(_)) => Ok(()),
    }
}

async fn due<T>(work: Option<&mut BoxFuture<'static, T>>) -> T {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

async fn connect(replica: &str, receive_buffer: Option<u32>) -> Result<Socket> {
    let mut url: Url = replica.parse().context("a replica's address is no URL")?;
    let port = url.port_or_known_default().context("a replica's address has no port")?;
    let socket = TcpSocket::new_v4()?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    // The stack listens on this machine only.
    let stream = socket.connect(([127, 0, 0, 1], port).into()).await?;
    stream.set_nodelay(true)?;
    url.set_path("/v1/ws");
    let mut request = url.as_str().replacen("http", "ws", 1).into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("chat.v1"));
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let (socket, _) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}
