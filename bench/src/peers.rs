//! Servers of others that do what chat-api's hub does: one message in, many sockets out. They are in
//! `bench/peers`, each as its own documentation recommends; `./dev bench` installs them into `.dev`.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, bail};
use devstack::part::{Part, State, probe};
use devstack::program::Program;
use devstack::{checkout, name, ports};

use crate::wire::dialect::Dialect;
use crate::{scrape, usage};

/// One of these servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Centrifuge, a library for Go.
    Centrifuge,
    /// The WebSocket server that is a part of Bun.
    Bun,
    /// Socket.IO on Node.js.
    SocketIo,
}

/// A running peer. Dropped = killed.
pub(crate) struct Running {
    part: Part,
    pub(crate) address: SocketAddr,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Centrifuge, Self::Bun, Self::SocketIo];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Centrifuge => "Centrifuge",
            Self::Bun => "Bun",
            Self::SocketIo => "Socket.IO",
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Centrifuge => Dialect::Centrifuge,
            Self::Bun => Dialect::Bun,
            Self::SocketIo => Dialect::SocketIo,
        }
    }

    fn program(self) -> Program {
        let peers = checkout::state().join("peers");
        match self {
            Self::Centrifuge => Program::new(peers.join("centrifuge/centrifuge")),
            Self::Bun => Program::new(peers.join("bun/node_modules/bun/bin/bun.exe"))
                .args([peers.join("bun/server.js")]),
            Self::SocketIo => Program::new("node").args([peers.join("socketio/server.js")]),
        }
    }

    /// Starts the server on a processor. It takes messages by `POST /publish`.
    pub(crate) async fn start(self, core: &str, files: &Path) -> Result<Running> {
        let address = SocketAddr::from(([127, 0, 0, 1], ports::free()?));
        let program = self
            .program()
            .env("PORT", address.port().to_string())
            // As in production: both libraries are quicker without their aids to development.
            .env("NODE_ENV", "production")
            .on_cores(core);
        let ready = probe(move || async move {
            scrape::get(&format!("http://{address}/ready")).await.map(drop)
        });
        let part = Part::new(name::unique("peer"), program, files, ready);
        part.start().await?;
        Ok(Running { part, address })
    }
}

impl Running {
    fn pid(&self) -> Result<i32> {
        match self.part.state() {
            State::Running(pid) => Ok(pid),
            _ => bail!("a peer ended; the last lines of its log:\n{}", self.part.last_lines(20)),
        }
    }

    /// The processor time it has used, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        Ok(usage::cpu_time(self.pid()?)?.as_secs_f64())
    }

    /// Its resident memory, in bytes.
    pub(crate) fn memory(&self) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no process has 2^52 bytes")]
        Ok(usage::memory(self.pid()?)? as f64)
    }
}
