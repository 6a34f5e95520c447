//! Stands before PostgreSQL, so that answers can be late or lost.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::setup::Database;

/// What the pool asks a connection that may have died: Sync, and nothing before it.
const PING: &[u8] = b"S\0\0\0\x04";

/// Stands before PostgreSQL, and can keep back its answers, delay them and cut its connections.
pub(crate) struct Between {
    pub(crate) dsn: String,
    pub(crate) answers: watch::Sender<bool>,
    /// How long the answer to a statement takes to come.
    pub(crate) delay: watch::Sender<Duration>,
    connections: watch::Sender<u32>,
}

impl Between {
    pub(crate) async fn open(database: &Database) -> Self {
        let mut dsn = url::Url::parse(&database.dsn).expect("a URL");
        let server = (dsn.host_str().expect("a host").to_owned(), dsn.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        dsn.set_host(Some("127.0.0.1")).expect("a host");
        dsn.set_port(Some(listener.local_addr().expect("an address").port())).expect("a port");
        let between = Self {
            dsn: dsn.to_string(),
            answers: watch::Sender::new(true),
            delay: watch::Sender::new(Duration::ZERO),
            connections: watch::Sender::new(0),
        };
        let (answers, cut) = (between.answers.subscribe(), between.connections.subscribe());
        let delay = between.delay.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("PostgreSQL answers");
                tokio::spawn(relay(client, server, (answers.clone(), delay.clone()), cut.clone()));
            }
        });
        between
    }

    /// Ends all connections that stand.
    pub(crate) fn cut(&self) {
        self.connections.send_modify(|generation| *generation += 1);
    }
}

async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    (mut answers, delay): (watch::Receiver<bool>, watch::Receiver<Duration>),
    mut cut: watch::Receiver<u32>,
) {
    cut.mark_unchanged();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    // Whether what is answered next is a statement.
    let stated = AtomicBool::new(false);
    let requests = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from_client.read(&mut buffer).await else { return };
            stated.store(buffer[..length] != *PING, Relaxed);
            if to_server.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    };
    let replies = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let Ok(length @ 1..) = from_server.read(&mut buffer).await else { return };
            if stated.swap(false, Relaxed) {
                let pause = *delay.borrow();
                tokio::time::sleep(pause).await;
            }
            if answers.wait_for(|let_through| *let_through).await.is_err()
                || to_client.write_all(&buffer[..length]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        () = requests => {}
        () = replies => {}
        _ = cut.changed() => {}
    }
}
