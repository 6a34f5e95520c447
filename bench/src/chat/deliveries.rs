//! P4: what a delivery costs, against servers that have nothing to do but to deliver.

use std::time::Duration;

use anyhow::Result;
use uuid::Uuid;

use super::publish::{Rate, publish_to};
use super::rooms;
use super::sample::{request, request_to};
use super::site::{NO_LIMITS, Site};
use crate::load::p99_millis;
use crate::peers::Peer;
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::{Dialect, ROOM};
use crate::wire::http::post;
use crate::wire::listeners::Hearing;
use crate::wire::socket::{Path, open_rooms};

/// Sockets in all rooms together.
const MEMBERS: usize = 1_000;

/// 30,000 deliveries a second, which the listeners' processor takes beside the broker. Together they
/// are some seconds of processor time, of which the kernel's clock of 10 ms tells a hundredth.
const ONE_ROOM: Rate = Rate { per_second: 30.0, burst: 1, lasting: Duration::from_secs(10) };

/// A tenth of what chat-api takes in, and for a server half a second of processor time at least.
const MANY_ROOMS: Rate = Rate { per_second: 1_000.0, ..ONE_ROOM };

/// How messages come: evenly, or so that several are there at once, as in a room where a question is
/// answered by many. A server that sends what it has in one write is spared some of the kernel's work. In many rooms
/// there are few sockets or one for each message, and what a message costs on its way in is most of it.
const SHAPES: [Shape; 4] = [
    Shape { name: "one by one", rooms: 1, rate: ONE_ROOM, goals: least([1.9, 0.85, 1.8]) },
    Shape {
        name: "ten at once",
        rooms: 1,
        rate: Rate { burst: 10, ..ONE_ROOM },
        goals: least([3.0, 1.0, 8.0]),
    },
    Shape { name: "100 rooms of 10", rooms: 100, rate: MANY_ROOMS, goals: NO_GOALS },
    Shape { name: "1,000 rooms of 1", rooms: 1_000, rate: MANY_ROOMS, goals: NO_GOALS },
];

/// What chat-api does for each delivery of a peer, in the order of [`Peer::ALL`].
type Goals = [Goal; Peer::ALL.len()];

/// The peers neither keep a message nor check who sends it, so a figure that is about that has no goal.
const NO_GOALS: Goals = [Goal::None; Peer::ALL.len()];

/// At least so much. One by one a bare `send` for each, and nothing else, is about 2.1 times Centrifuge and Socket.IO,
/// and no more than Bun.
const fn least([centrifuge, bun, socket_io]: [f64; Peer::ALL.len()]) -> Goals {
    [Goal::AtLeast(centrifuge), Goal::AtLeast(bun), Goal::AtLeast(socket_io)]
}

/// One of these ways.
struct Shape {
    name: &'static str,
    /// Rooms, to which messages go in turn, each with as many of the sockets.
    rooms: u16,
    rate: Rate,
    goals: Goals,
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
            chat.push(of_chat(site, shape).await?);
            for (peer, found) in peers {
                found.push(of_peer(site, *peer, shape).await?);
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
        report.rounds(what, "ratio", &ratios, *goal)?;
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

async fn of_chat(site: &Site, Shape { rooms, rate, .. }: &Shape) -> Result<DeliveryFigures> {
    let place = site.place().await?;
    let replica = if *rooms == 1 {
        site.serve(&place).await?
    } else {
        // Few people say all of it.
        site.serve_with(&place, &NO_LIMITS).await?
    };
    let (messages, tokens) = (0..rate.messages(), site.tokens.as_slice());
    let (rooms, requests): (_, Vec<_>) = if *rooms == 1 {
        let requests = messages.zip(tokens).map(|(n, token)| request(n, token));
        (vec![ROOM.to_owned()], requests.collect())
    } else {
        let owners = &tokens[..usize::from(*rooms)];
        let rooms = rooms::make(&replica, owners).await?;
        let speakers = messages.zip(rooms.iter().zip(owners).cycle());
        let requests = speakers.map(|(n, (room, owner))| request_to(room, n, owner)).collect();
        (rooms, requests)
    };
    let server = (replica.address, Dialect::Chat);
    let sockets = open_rooms(&in_turn(&rooms), server, tokens, Path::Loopback).await?;
    let cpu = replica.cpu_seconds()?;
    let hearing = publish_to(number(&rooms)?, replica.address, sockets, requests, *rate).await?;
    let spent = replica.cpu_seconds()? - cpu;
    let found = found(&hearing, spent)?;
    replica.stop().await?;
    site.forget(&place).await?;
    Ok(found)
}

async fn of_peer(site: &Site, peer: Peer, shape: &Shape) -> Result<DeliveryFigures> {
    let server = peer.start(&site.cores.service, site.files()).await?;
    let rooms: Vec<String> = match shape.rooms {
        1 => vec![ROOM.to_owned()],
        // As long as chat-api's.
        many => (0..many).map(|n| Uuid::from_u128(n.into()).to_string()).collect(),
    };
    let at = (server.address, peer.dialect());
    let sockets = open_rooms(&in_turn(&rooms), at, &[], Path::Loopback).await?;
    // The same bytes go out as from chat-api, but for what each protocol wraps them in.
    let sample = site.sample()?;
    let requests = (0..shape.rate.messages())
        .zip(rooms.iter().cycle())
        .map(|(n, room)| post(&format!("/publish?room={room}"), None, &sample.event_in(room, n)));
    let (requests, many) = (requests.collect(), number(&rooms)?);
    let cpu = server.cpu_seconds()?;
    let hearing = publish_to(many, server.address, sockets, requests, shape.rate).await?;
    found(&hearing, server.cpu_seconds()? - cpu)
}

/// The rooms of all sockets.
fn in_turn(rooms: &[String]) -> Vec<String> {
    rooms.iter().cycle().take(MEMBERS).cloned().collect()
}

fn number(rooms: &[String]) -> Result<u32> {
    Ok(u32::try_from(rooms.len())?)
}

fn found(hearing: &Hearing, cpu_seconds: f64) -> Result<DeliveryFigures> {
    hearing.ensure_whole()?;
    let per_cpu_second = count(hearing.deliveries()) / cpu_seconds;
    Ok(DeliveryFigures { per_cpu_second, p99: p99_millis(hearing.latencies())? })
}
