//! A WebSocket that listens.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _, TryStreamExt as _, stream};
use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::dialect::{Dialect, ROOM};

/// The default of 128 KiB a connection is too much for ten thousand of them.
const READ_BUFFER: usize = 4096;

/// Handshakes under way at once: fewer than a listening socket queues.
const AT_ONCE: usize = 64;

/// After that a server that says nothing is broken.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// What a path over Ethernet leaves of a segment (RFC 879). Loopback has 64 KiB, and the kernel
/// keeps some megabytes for a receiver that takes nothing.
const ETHERNET_SEGMENT: u32 = 1448;

/// What carries a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// As the kernel makes it.
    Loopback,
    /// Small segments and a small receive buffer, as of a far client: a client that takes nothing is
    /// noticed by the server after about a hundred kilobytes.
    Narrow,
}

/// A socket that was opened.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    dialect: Dialect,
    room: String,
}

impl Socket {
    /// Connects and shakes hands, without a word of the protocol above.
    pub(crate) async fn open(
        address: SocketAddr,
        dialect: Dialect,
        token: Option<&str>,
        path: Path,
    ) -> Result<Self> {
        Self::open_for(ROOM, (address, dialect), token, path).await
    }

    /// The same for another room than that of all.
    async fn open_for(
        room: &str,
        (address, dialect): (SocketAddr, Dialect),
        token: Option<&str>,
        path: Path,
    ) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if path == Path::Narrow {
            socket.set_recv_buffer_size(READ_BUFFER.try_into()?)?;
            SockRef::from(&socket).set_tcp_mss(ETHERNET_SEGMENT)?;
        }
        let stream = socket.connect(address).await.context("the server refuses connections")?;
        stream.set_nodelay(true)?;
        let request = dialect.request(&address.to_string(), room, token)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let shaken = timeout(HANG, client_async_with_config(request, stream, Some(config))).await;
        let (stream, _) = shaken.context("no answer to a handshake")??;
        Ok(Self { stream, dialect, room: room.to_owned() })
    }

    /// Takes the steps of the dialect that lead into the room.
    pub(crate) async fn join(&mut self) -> Result<()> {
        for step in self.dialect.steps(&self.room) {
            if let Some(says) = step.says {
                self.say(says).await?;
            }
            self.wait_for(step.awaits).await?;
        }
        Ok(())
    }

    pub(crate) async fn say(&mut self, frame: String) -> Result<()> {
        Ok(self.stream.send(Message::text(frame)).await?)
    }

    /// Reads until a frame holds this, and hands it over.
    pub(crate) async fn wait_for(&mut self, part: &str) -> Result<Utf8Bytes> {
        loop {
            let frame = timeout(HANG, self.next()).await;
            let frame = frame.with_context(|| format!("the server never said {part}"))??;
            if frame.contains(part) {
                return Ok(frame);
            }
        }
    }

    /// The next frame of text; what only asks for a sign of life is answered.
    pub(crate) async fn next(&mut self) -> Result<Utf8Bytes> {
        loop {
            match self.stream.next().await.context("the server hung up")?? {
                Message::Text(frame) => match self.dialect.pong(&frame) {
                    Some(pong) => self.say(pong.to_owned()).await?,
                    None => return Ok(frame),
                },
                Message::Close(frame) => bail!("the server closes: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Reads and throws away, for as long as this is waited for.
    pub(crate) async fn idle(&mut self) -> Result<()> {
        loop {
            self.next().await?;
        }
    }
}

/// Opens `count` sockets and lets each into the room. Tokens are used in turn.
pub(crate) async fn open_many(
    count: usize,
    address: SocketAddr,
    dialect: Dialect,
    tokens: &[String],
    path: Path,
) -> Result<Vec<Socket>> {
    let everybody = vec![ROOM.to_owned(); count];
    open_rooms(&everybody, (address, dialect), tokens, path).await
}

/// Opens a socket for each of these rooms, in their order, and lets it in. Tokens are used in turn.
pub(crate) async fn open_rooms(
    rooms: &[String],
    server: (SocketAddr, Dialect),
    tokens: &[String],
    path: Path,
) -> Result<Vec<Socket>> {
    let open = |n: usize| async move {
        let token = (!tokens.is_empty()).then(|| tokens[n % tokens.len()].as_str());
        let mut socket = Socket::open_for(&rooms[n], server, token, path).await?;
        socket.join().await?;
        anyhow::Ok(socket)
    };
    let count = rooms.len();
    let opened = stream::iter(0..count).map(open).buffered(AT_ONCE);
    let sockets: Vec<Socket> = opened.try_collect().await?;
    ensure!(sockets.len() == count, "{} sockets instead of {count}", sockets.len());
    Ok(sockets)
}
