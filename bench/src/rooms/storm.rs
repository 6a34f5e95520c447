//! Everybody subscribes at once at a replica that knows no room yet: each room is read once, however many want it.

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::JoinSet;

use crate::chat::rooms;
use crate::chat::site::{NO_LIMITS, Replica, Site};
use crate::report::{Goal, Report};
use crate::stats::count;
use crate::wire::dialect::{Dialect, subscribe_to};
use crate::wire::socket::{Path, Socket};

/// Rooms that nobody has asked for yet.
const ROOMS: usize = 100;

/// Who asks for them: each for one, and so twenty for each.
const CLIENTS: usize = 2_000;

/// Handshakes under way at once.
const AT_ONCE: usize = 64;

pub(super) async fn run(report: &mut Report, site: &Site) -> Result<()> {
    let place = site.place().await?;
    let before = site.serve_with(&place, &NO_LIMITS).await?;
    let rooms = rooms::make(&before, &site.tokens[..ROOMS]).await?;
    before.stop().await?;
    let replica = site.serve(&place).await?;
    let open = |token: &String| {
        let token = token.clone();
        let address = replica.address;
        async move {
            let opened = Socket::open(address, Dialect::Chat, Some(&token), Path::Loopback);
            let mut socket = opened.await?;
            socket.wait_for("\"type\":\"ready\"").await?;
            anyhow::Ok(socket)
        }
    };
    let sockets = stream::iter(&site.tokens).take(CLIENTS).map(open).buffered(AT_ONCE);
    let sockets: Vec<Socket> = sockets.try_collect().await?;
    ensure!(sockets.len() == CLIENTS, "{} sockets instead of {CLIENTS}", sockets.len());
    let loaded = loads(&replica).await?;
    let mut subscribing = JoinSet::new();
    for (mut socket, room) in sockets.into_iter().zip(rooms.iter().cycle()) {
        let subscribe = subscribe_to(room, None);
        subscribing.spawn(async move {
            socket.say(subscribe).await?;
            // Whoever has to wait for its turn is told that, and then that it hears the room.
            socket.wait_for("\"type\":\"resumed\"").await?;
            anyhow::Ok(socket)
        });
    }
    let mut open = Vec::with_capacity(CLIENTS);
    while let Some(subscribed) = subscribing.join_next().await {
        open.push(subscribed??);
    }
    let loads = loads(&replica).await? - loaded;
    let what = format!("subscriptions at once, to {ROOMS} rooms");
    report.once(what, "", count(open.len()), Goal::None)?;
    report.once("room loads for them", "", loads, Goal::AtMost(count(ROOMS)))?;
    replica.stop().await?;
    site.forget(&place).await
}

async fn loads(replica: &Replica) -> Result<f64> {
    replica.counter("chat_room_loads_total").await
}
