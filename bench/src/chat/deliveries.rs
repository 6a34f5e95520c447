//! P4: what a delivery costs, against servers that have nothing to do but to deliver.

use std::time::Duration;

use anyhow::Result;

use super::publish::{Rate, publish};
use super::sample::request;
use super::site::Site;
use crate::load::p99_millis;
use crate::peers::Peer;
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::{Dialect, ROOM};
use crate::wire::http::post;
use crate::wire::listeners::Hearing;
use crate::wire::socket::{Path, open_many};

/// Sockets in the one room.
const MEMBERS: usize = 1_000;

/// 30,000 deliveries a second, which the listeners' processor takes beside the broker. Together they
/// are some seconds of processor time, of which the kernel's clock of 10 ms tells a hundredth.
const RATE: Rate = Rate { per_second: 30.0, burst: 1, lasting: Duration::from_secs(10) };

/// How messages come: evenly, or so that several are there at once, as in a room where a question is
/// answered by many. A server that sends what it has in one write is spared some of the kernel's work.
const SHAPES: [Shape; 2] = [
    Shape { name: "one by one", burst: 1, goals: [1.9, 0.85, 1.8] },
    Shape { name: "ten at once", burst: 10, goals: [3.0, 1.0, 8.0] },
];

/// One of these ways.
struct Shape {
    name: &'static str,
    /// Messages that are due at the same moment.
    burst: u32,
    /// The least that chat-api does for each delivery of a peer, in the order of [`Peer::ALL`]. One by one a bare
    /// `send` for each, and nothing else, is about 2.1 times Centrifuge and Socket.IO, and no more than Bun.
    goals: [f64; Peer::ALL.len()],
}

/// The figures of one server.
#[derive(Debug, Clone, Copy)]
struct DeliveryFigures {
    /// Deliveries per second of its processor time.
    per_cpu_second: f64,
    /// How long after it was due a delivery was, in milliseconds.
    p99: f64,
}

pub(super) async fn run(report: &mut Report, site: &Site, rounds: u32) -> Result<()> {
    let mut found = SHAPES.map(|_| (Vec::new(), Peer::ALL.map(|peer| (peer, Vec::new()))));
    for _ in 0..rounds {
        for (shape, (chat, peers)) in SHAPES.iter().zip(&mut found) {
            let rate = Rate { burst: shape.burst, ..RATE };
            chat.push(of_chat(site, rate).await?);
            for (peer, found) in peers {
                found.push(of_peer(site, *peer, rate).await?);
            }
        }
    }
    for (shape, (chat, peers)) in SHAPES.iter().zip(&found) {
        tell_shape(report, shape, chat, peers)?;
    }
    Ok(())
}

fn tell_shape(
    report: &mut Report,
    shape: &Shape,
    chat: &[DeliveryFigures],
    peers: &[(Peer, Vec<DeliveryFigures>)],
) -> Result<()> {
    let Shape { name: shape, goals, .. } = shape;
    tell(report, shape, "chat-api", chat)?;
    for ((peer, found), goal) in peers.iter().zip(goals) {
        tell(report, shape, peer.name(), found)?;
        let ratios: Vec<f64> = chat
            .iter()
            .zip(found)
            .map(|(chat, peer)| chat.per_cpu_second / peer.per_cpu_second)
            .collect();
        let what = format!("P4: {shape}, chat-api / {}", peer.name());
        report.rounds(what, "ratio", &ratios, Goal::AtLeast(*goal))?;
    }
    Ok(())
}

fn tell(report: &mut Report, shape: &str, name: &str, found: &[DeliveryFigures]) -> Result<()> {
    let column =
        |value: fn(&DeliveryFigures) -> f64| -> Vec<f64> { found.iter().map(value).collect() };
    let what = format!("P4: {shape}, deliveries per processor second, {name}");
    report.rounds(what, "1/s", &column(|one| one.per_cpu_second), Goal::None)?;
    let what = format!("P4: {shape}, delivery, p99, {name}");
    report.rounds(what, "ms", &column(|one| one.p99), Goal::None)
}

async fn of_chat(site: &Site, rate: Rate) -> Result<DeliveryFigures> {
    let place = site.place().await?;
    let replica = site.serve(&place).await?;
    let sockets =
        open_many(MEMBERS, replica.address, Dialect::Chat, &site.tokens, Path::Loopback).await?;
    let requests = (0..rate.messages()).zip(&site.tokens).map(|(n, token)| request(n, token));
    let cpu = replica.cpu_seconds()?;
    let hearing = publish(replica.address, sockets, requests.collect(), rate).await?;
    let spent = replica.cpu_seconds()? - cpu;
    let found = found(&hearing, spent)?;
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(found)
}

async fn of_peer(site: &Site, peer: Peer, rate: Rate) -> Result<DeliveryFigures> {
    let server = peer.start(&site.cores.service, site.files()).await?;
    let sockets = open_many(MEMBERS, server.address, peer.dialect(), &[], Path::Loopback).await?;
    // The same bytes go out as from chat-api, but for what each protocol wraps them in.
    let (sample, path) = (site.sample()?, format!("/publish?room={ROOM}"));
    let requests = (0..rate.messages()).map(|n| post(&path, None, &sample.event(n)));
    let cpu = server.cpu_seconds()?;
    let hearing = publish(server.address, sockets, requests.collect(), rate).await?;
    found(&hearing, server.cpu_seconds()? - cpu)
}

fn found(hearing: &Hearing, cpu_seconds: f64) -> Result<DeliveryFigures> {
    hearing.ensure_whole()?;
    let per_cpu_second = count(hearing.deliveries()) / cpu_seconds;
    Ok(DeliveryFigures { per_cpu_second, p99: p99_millis(hearing.latencies())? })
}
