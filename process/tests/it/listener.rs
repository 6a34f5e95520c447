//! What a peer can make a listener hold

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use service_process::listener::{Limits, Listener, bind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// After this something hangs.
const HANG: Duration = Duration::from_secs(30);
/// What no test waits for.
const LONG: Duration = Duration::from_hours(1);
/// What tests wait for.
const SHORT: Duration = Duration::from_millis(300);
/// More than the systems on both sides hold for a peer that takes nothing.
const PAGE: usize = 32 << 20;

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A listener of which only one limit is short.
const PATIENT: Limits =
    Limits { connections: 100, head: LONG, idle: LONG, stall: LONG, shutdown: LONG };

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Served {
    fn start(limits: Limits) -> Self {
        let router = Router::new()
            .route("/", get(async || "hello"))
            .route("/page", get(async || vec![b'x'; PAGE]))
            .route("/unread", post(async || "not interested"));
        let listener = bind("LISTEN", ANY_PORT).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let listener = Listener::public(listener, limits);
        let serving = tokio::spawn(listener.serve(router, stop.clone().cancelled_owned()));
        Self { address, stop, serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// A peer whose system takes little for it.
    async fn connect_narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a size");
        socket.connect(self.address).await.expect("it listens")
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(HANG, self.serving).await.expect("it stops").expect("without a panic");
    }
}

async fn ask(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it takes requests");
}

/// Asks and reads the answer.
async fn hello(stream: &mut TcpStream) {
    ask(stream, "/").await;
    let mut answer = String::new();
    while !answer.ends_with("hello") {
        let mut bytes = [0; 1024];
        let read = timeout(HANG, stream.read(&mut bytes)).await.expect("an answer").expect("bytes");
        assert!(read > 0, "it ended after {answer:?}");
        answer += std::str::from_utf8(&bytes[..read]).expect("text");
    }
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Waits for an end in order, before which nothing comes.
async fn ends(stream: &mut TcpStream) {
    let read = timeout(HANG, stream.read(&mut [0; 16])).await.expect("it ends").expect("in order");
    assert_eq!(read, 0, "it ends without a word");
}

/// Waits until the connection is cut, without reading from it.
async fn is_cut(stream: &mut TcpStream) -> ErrorKind {
    let cut = async {
        loop {
            sleep(Duration::from_millis(10)).await;
            if let Err(error) = stream.write_all(b"\r\n").await {
                return error.kind();
            }
        }
    };
    timeout(HANG, cut).await.expect("it is cut")
}

#[tokio::test]
async fn a_thousand_who_come_while_none_is_taken_are_connected_and_wait_for_their_turn() {
    let listener = bind("LISTEN", ANY_PORT).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let mut waiting = Vec::new();
    for number in 0..1_000 {
        // What finds no room its system tries again after 1 s, 3 s, 7 s and longer.
        let stream = timeout(HANG, TcpStream::connect(address)).await;
        waiting.push(stream.unwrap_or_else(|_| panic!("{number} are connected")));
    }
}

#[tokio::test]
async fn who_says_nothing_or_a_part_of_a_head_is_ended_in_time() {
    let listener = Served::start(Limits { head: SHORT, ..PATIENT });
    let parts: [&[u8]; 5] = [b"", b"P", b"PRI * HTTP/", b"GET / HTTP/1.1\r\n", b"\r\n\r\n"];
    for part in parts {
        let mut mute = listener.connect().await;
        mute.write_all(part).await.expect("it listens");
        ends(&mut mute).await;
    }
    // What begins HTTP/2 is no request of ours at all.
    let mut other = listener.connect().await;
    other.write_all(b"PRI * HTTP/2.0\r\n\r\nSM").await.expect("it listens");
    let ended = timeout(HANG, other.read_to_end(&mut Vec::new())).await.expect("it ends");
    ended.expect("in order");
    listener.stop().await;
}

#[tokio::test]
async fn a_head_that_comes_drop_by_drop_is_cut_off() {
    let listener = Served::start(Limits { head: SHORT, ..PATIENT });
    for first in [true, false] {
        let mut slow = listener.connect().await;
        if !first {
            hello(&mut slow).await;
        }
        slow.write_all(b"GET / HTTP/1.1\r\n").await.expect("it listens");
        let dribble = async {
            for number in 0.. {
                sleep(Duration::from_millis(20)).await;
                if slow.write_all(format!("X-{number}: more\r\n").as_bytes()).await.is_err() {
                    return;
                }
            }
        };
        timeout(HANG, dribble).await.expect("it is cut off");
    }
    listener.stop().await;
}

#[tokio::test]
async fn a_head_over_its_limit_is_refused_with_431() {
    let listener = Served::start(PATIENT);
    let mut stream = listener.connect().await;
    let head = format!("GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(200 << 10));
    stream.write_all(head.as_bytes()).await.expect("it is taken");
    let mut answer = String::new();
    timeout(HANG, stream.read_to_string(&mut answer)).await.expect("an end").expect("in order");
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    listener.stop().await;
}

#[tokio::test]
async fn a_connection_is_kept_between_requests_for_longer_than_a_head_may_take() {
    let listener = Served::start(Limits { head: SHORT, ..PATIENT });
    let mut kept = listener.connect().await;
    hello(&mut kept).await;
    let mut mute = listener.connect().await;
    ends(&mut mute).await;
    hello(&mut kept).await;
    listener.stop().await;
}

#[tokio::test]
async fn a_kept_connection_ends_in_order_when_nothing_more_is_asked() {
    let listener = Served::start(Limits { idle: SHORT, ..PATIENT });
    let (mut new, mut kept) = (listener.connect().await, listener.connect().await);
    hello(&mut kept).await;
    ends(&mut kept).await;
    hello(&mut new).await;
    ends(&mut new).await;
    listener.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_the_next_one_served_when_there_is_a_place() {
    let listener = Served::start(Limits { connections: 2, ..PATIENT });
    // Both are being answered.
    let (mut first, mut second) =
        (listener.connect_narrow().await, listener.connect_narrow().await);
    for busy in [&mut first, &mut second] {
        ask(busy, "/page").await;
        assert!(busy.read(&mut [0; 16]).await.expect("a page") > 0);
    }
    let mut third = listener.connect().await;
    ends(&mut third).await;
    drop(second);
    let served = async {
        loop {
            let mut fourth = listener.connect().await;
            ask(&mut fourth, "/").await;
            if fourth.read(&mut [0; 16]).await.is_ok_and(|read| read > 0) {
                return;
            }
        }
    };
    timeout(HANG, served).await.expect("there is a place again");
    assert!(first.read(&mut [0; 16]).await.expect("the page") > 0, "it goes on");
    drop(first);
    listener.stop().await;
}

#[tokio::test]
async fn who_keeps_connections_and_asks_for_nothing_keeps_nobody_out() {
    let listener = Served::start(Limits { connections: 40, ..PATIENT });
    let mut busy = listener.connect_narrow().await;
    ask(&mut busy, "/page").await;
    assert!(busy.read(&mut [0; 16]).await.expect("a page") > 0);
    let mut kept = Vec::new();
    for _ in 0..39 {
        let mut idle = listener.connect().await;
        hello(&mut idle).await;
        kept.push(idle);
    }
    // Those by which nothing has been asked for longest give way; they do not even have to hang up.
    for _ in 0..5 {
        let served = async {
            loop {
                let mut new = listener.connect().await;
                ask(&mut new, "/").await;
                if new.read(&mut [0; 16]).await.is_ok_and(|read| read > 0) {
                    return new;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        kept.push(timeout(HANG, served).await.expect("there is a place"));
    }
    ends(&mut kept[0]).await;
    assert!(busy.read(&mut [0; 16]).await.expect("the page") > 0, "it goes on");
    drop(busy);
    listener.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_ended_also_behind_others() {
    let listener = Served::start(Limits { stall: SHORT, ..PATIENT });
    for pages in [1, 6] {
        let mut stream = listener.connect_narrow().await;
        for _ in 0..pages {
            ask(&mut stream, "/page").await;
        }
        let kind = is_cut(&mut stream).await;
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
    }
    listener.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_is_given_whole() {
    let limits = Limits { stall: SHORT, idle: SHORT, head: SHORT, ..PATIENT };
    let listener = Served::start(limits);
    let mut stream = listener.connect().await;
    ask(&mut stream, "/page").await;
    let (mut total, mut bytes) = (0, vec![0; 1 << 20]);
    while total < PAGE {
        // In all this takes many times as long as any limit.
        sleep(SHORT / 6).await;
        total += match timeout(HANG, stream.read(&mut bytes)).await.expect("it goes on") {
            Ok(read) if read > 0 => read,
            end => panic!("{end:?} after {total} bytes"),
        };
    }
    listener.stop().await;
}

#[tokio::test]
async fn an_answer_reaches_who_is_still_sending() {
    let listener = Served::start(PATIENT);
    for size in [100_000, 1 << 20, 8 << 20] {
        let mut stream = listener.connect().await;
        let head = format!("POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("it listens");
        let sent = timeout(HANG, stream.write_all(&vec![b'x'; size])).await.expect("it is taken");
        sent.expect("without a reset");
        let mut answer = String::new();
        let read = timeout(HANG, stream.read_to_string(&mut answer)).await.expect("an end");
        read.expect("in order");
        assert!(answer.ends_with("not interested"), "{size}: {answer}");
    }
    listener.stop().await;
}

#[tokio::test]
async fn a_stop_ends_although_answers_are_not_taken_and_clients_do_not_hang_up() {
    let listener = Served::start(Limits { shutdown: SHORT, ..PATIENT });
    let mut unread = listener.connect_narrow().await;
    ask(&mut unread, "/page").await;
    let mut first = [0; 1];
    unread.read_exact(&mut first).await.expect("the answer is under way");
    let (mut kept, mut sent) = (listener.connect().await, listener.connect().await);
    hello(&mut kept).await;
    sent.write_all(b"GET / HTT").await.expect("it listens");
    listener.stop().await;
}
