//! P5: what a connection that only listens keeps in memory.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::site::Site;
use crate::peers::Peer;
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::Dialect;
use crate::wire::socket::{Path, Socket, open_many};

/// The memory of a process with this many connections is taken off …
const FEW: usize = 2_000;

/// … that with this many: what there is without any has no part in it.
const MANY: usize = 10_000;

/// After the last handshake, until what it needed is given back.
const SETTLES: Duration = Duration::from_secs(5);

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let (mut chat, mut centrifuge) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let place = site.place().await?;
        let replica = site.serve(&place).await?;
        let tokens = &site.tokens;
        chat.push(slope(replica.address, Dialect::Chat, tokens, || replica.memory()).await?);
        replica.stop().await?;
        site.forget(&place).await?;

        let peer = Peer::Centrifuge;
        let server = peer.start(&site.cores.service, site.files()).await?;
        centrifuge.push(slope(server.address, peer.dialect(), &[], || server.memory()).await?);
    }
    let ratios: Vec<f64> = chat.iter().zip(&centrifuge).map(|(ours, peer)| ours / peer).collect();
    let what = "P5: memory of an idle connection";
    report.rounds(format!("{what}, chat-api"), "KiB", &chat, Goal::AtMost(8.0))?;
    report.rounds(format!("{what}, Centrifuge"), "KiB", &centrifuge, Goal::None)?;
    report.rounds(format!("{what}, ratio"), "ratio", &ratios, Goal::AtMost(0.36))
}

/// What a further connection adds, in KiB.
async fn slope(
    address: SocketAddr,
    dialect: Dialect,
    tokens: &[String],
    memory: impl Fn() -> Result<f64>,
) -> Result<f64> {
    let mut idle = JoinSet::new();
    let few = open_many(FEW, address, dialect, tokens, Path::Loopback).await?;
    stay(&mut idle, few);
    sleep(SETTLES).await;
    let least = memory()?;
    let more = open_many(MANY - FEW, address, dialect, tokens, Path::Loopback).await?;
    stay(&mut idle, more);
    sleep(SETTLES).await;
    let most = memory()?;
    // None of them may have been closed meanwhile.
    if let Some(ended) = idle.try_join_next() {
        ended??;
    }
    Ok((most - least) / count(MANY - FEW) / 1024.0)
}

/// Answers pings, as every client does.
fn stay(idle: &mut JoinSet<Result<()>>, sockets: Vec<Socket>) {
    for mut socket in sockets {
        idle.spawn(async move { socket.idle().await });
    }
}
