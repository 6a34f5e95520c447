//! A real connection that holds little, with several writers on it.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{StatusCode, header};
use hyper::upgrade::OnUpgrade;
use service_process::listener::{Limits, Listener};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::{JoinSet, yield_now};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::rate::Rate;
use crate::ws::framing::framed;
use crate::ws::socket::{self, Socket};

/// After this something hangs.
const HANG: Duration = Duration::from_mins(1);
/// Those who put frames on the line from threads of their own.
const WRITERS: usize = 3;

async fn upgrade(
    State(upgrades): State<mpsc::UnboundedSender<OnUpgrade>>,
    mut request: Request,
) -> impl IntoResponse {
    let key = derive_accept_key(request.headers()[header::SEC_WEBSOCKET_KEY].as_bytes());
    upgrades.send(request.extensions_mut().remove::<OnUpgrade>().unwrap()).unwrap();
    let headers = [
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, key),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers)
}

/// A socket of ours, the line below it, and the other side of it, which reads so many bytes at once.
async fn pair(
    tasks: &mut JoinSet<()>,
    sip: usize,
) -> (Socket, Arc<Line>, WebSocketStream<Sipping>) {
    // A connection that was accepted holds as little as whoever accepted it.
    let listening = TcpSocket::new_v4().unwrap();
    listening.set_send_buffer_size(4_096).unwrap();
    listening.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let bound = listening.listen(8).unwrap();
    let address = bound.local_addr().unwrap();
    let (sender, mut asked) = mpsc::unbounded_channel();
    let router = Router::new().route("/", get(upgrade)).with_state(sender);
    let listener = Listener::public(bound, Limits::new(8));
    tasks.spawn(listener.serve(router, std::future::pending()));

    let connecting = TcpSocket::new_v4().unwrap();
    connecting.set_recv_buffer_size(4_096).unwrap();
    let stream = Sipping { stream: connecting.connect(address).await.unwrap(), sip: usize::MAX };
    let (mut theirs, _) = client_async("ws://x/", stream).await.unwrap();
    // Not before: a client takes a handshake that comes like this for an attack.
    theirs.get_mut().sip = sip;
    let upgraded = asked.recv().await.unwrap().await.unwrap();
    let Ok(wire) = Wire::of(upgraded) else { panic!("not of our listener") };
    let line = Arc::clone(wire.line());
    let many = NonZeroU32::new(1_000_000).unwrap();
    let many = Rate { per_second: many, burst: many };
    (socket::of(wire, many).await, line, theirs)
}

/// A connection of whoever reads little at once.
struct Sipping {
    stream: TcpStream,
    sip: usize,
}

impl AsyncRead for Sipping {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut sip = vec![0; self.sip.min(buffer.remaining())];
        let mut little = ReadBuf::new(&mut sip);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut little))?;
        buffer.put_slice(little.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Sipping {
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

/// The nth thing that somebody says, at a length of its own.
fn text(who: &str, number: usize) -> String {
    format!("{who} {number} {}", "x".repeat(number * 37 % 700))
}

/// Puts frames on a line as sweeps do, and calls the socket's task where they cannot go on.
async fn write(line: Arc<Line>, who: String, count: usize, rung: Arc<Notify>) {
    for number in 0..count {
        while line.is_blocked() {
            rung.notify_one();
            yield_now().await;
        }
        let frame = framed(0, |frame| frame.extend(text(&who, number).into_bytes()));
        if !line.put(&frame) {
            rung.notify_one();
        }
        yield_now().await;
    }
}

/// The socket's task: answers, flushes when it is called, and lets the protocol answer pings.
async fn serve(mut socket: Socket, acks: usize, rung: Arc<Notify>) {
    let mut said = 0;
    loop {
        if said < acks {
            socket.send(Message::text(text("ack", said))).await.unwrap();
            said += 1;
        }
        tokio::select! {
            () = rung.notified() => socket.flush().await.unwrap(),
            message = socket.next() => match message {
                Some(Ok(Message::Close(_))) | None => return,
                message => assert!(message.unwrap().unwrap().is_ping()),
            },
            () = yield_now(), if said < acks => {}
        }
    }
}

async fn frames_of_all_writers_come_whole_and_in_order(sip: usize, count: usize) {
    let mut tasks = JoinSet::new();
    let (ours, line, mut theirs) = pair(&mut tasks, sip).await;
    let rung = Arc::new(Notify::new());
    for writer in 0..WRITERS {
        let who = format!("writer-{writer}");
        tasks.spawn(write(Arc::clone(&line), who, count, Arc::clone(&rung)));
    }
    tasks.spawn(serve(ours, count, rung));
    let mut next = std::collections::HashMap::new();
    let (mut came, mut pings) = (0, 0);
    while came < (WRITERS + 1) * count || pings < count {
        if pings < count && came % 4 == 0 {
            theirs.send(Message::Ping(pings.to_string().into())).await.unwrap();
            theirs.flush().await.unwrap();
        }
        match timeout(HANG, theirs.next()).await.expect("it goes on").unwrap().unwrap() {
            Message::Text(said) => {
                let (who, _) = said.split_once(' ').unwrap();
                let number = next.entry(who.to_owned()).or_insert(0);
                assert_eq!(said, text(who, *number));
                *number += 1;
                came += 1;
            }
            Message::Pong(_) => pings += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(next.len(), WRITERS + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn frames_of_sweeps_of_the_sockets_task_and_of_the_protocol_never_run_into_each_other() {
    frames_of_all_writers_come_whole_and_in_order(usize::MAX, 2_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_takes_one_byte_at_a_time_gets_the_same_frames() {
    frames_of_all_writers_come_whole_and_in_order(1, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_peer_that_goes_in_the_middle_is_noticed_and_nothing_is_kept_for_it() {
    let mut tasks = JoinSet::new();
    let (mut ours, line, theirs) = pair(&mut tasks, usize::MAX).await;
    let puts = Arc::new(AtomicUsize::new(0));
    let frame = framed(1_000, |frame| frame.extend(b"x".repeat(1_000)));
    let (writing, frames, all) = (Arc::clone(&line), frame.clone(), Arc::clone(&puts));
    tasks.spawn(async move {
        loop {
            writing.put(&frames);
            all.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    while puts.load(Ordering::Relaxed) < 100 {
        yield_now().await;
    }
    drop(theirs);
    let lost = async {
        while ours.flush().await.is_ok() {
            yield_now().await;
        }
    };
    timeout(HANG, lost).await.expect("it is noticed");
    assert!(line.is_blocked(), "sweeps leave it to the socket's task");
    assert!(!line.put(&frame));
}
