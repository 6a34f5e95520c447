//! Rooms of a place, made by the calls that people make them with.

use anyhow::{Context as _, Result};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;

use super::site::Replica;
use crate::wire::http::{Pool, post};

/// Calls under way at once: each reads MongoDB, for which chat-api has ten connections.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
struct Made {
    room_id: String,
}

/// Makes a public room for each of these tokens, whose person owns it and alone speaks there. Everybody may listen.
/// Gives their ids in that order.
pub(crate) async fn make(replica: &Replica, owners: &[String]) -> Result<Vec<String>> {
    let pool = Pool::open(replica.address, AT_ONCE).await?;
    let make = async |token: &String| {
        let body = json!({ "kind": "public", "name": "One of many" }).to_string();
        let made = pool.ask(&post("/v1/rooms", Some(token), &body), 201).await?;
        let made: Made = serde_json::from_slice(&made).context("a room of another shape")?;
        anyhow::Ok(made.room_id)
    };
    stream::iter(owners).map(make).buffered(AT_ONCE).try_collect().await
}
