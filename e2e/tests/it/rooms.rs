//! Rooms, between two people at two replicas.

use anyhow::{Context as _, Result, ensure};
use e2e::wait::until;

use crate::stage::{Stage, mark};

#[tokio::test]
async fn a_group_of_two_at_two_replicas_ends_for_who_is_removed() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (stage.chat(1, &stage.alice)?, stage.chat(2, &stage.bob)?);
    let bobs_id = stage.bob.access.claims()?["sub"].as_str().context("no sub")?.to_owned();
    let name = mark("group");
    let made = alice.create_room("group", &name).await?;
    let room = made.room_id.as_str();
    assert_eq!((made.role.as_deref(), made.name.as_deref()), (Some("owner"), Some(name.as_str())));
    assert_eq!(bob.room(room).await?, None, "to strangers there is none");

    alice.put_member(room, &bobs_id, None).await?;
    until("the other replica knows", async || {
        let shown = bob.room(room).await?;
        ensure!(shown.as_ref().is_some_and(|shown| shown.members == 2), "{shown:?}");
        Ok(())
    })
    .await?;
    let mut listener = bob.listen_to(room).await?;
    let said = alice.say_in(room, "to both").await?;
    let event = listener.event(|event| event.message_id() == said.message_id).await?;
    assert_eq!(event.content(), "to both");
    bob.say_in(room, "heard").await?;

    alice.end_member(room, &bobs_id).await?;
    let removal = listener.event(|event| event.envelope["act"] == "remove").await?;
    assert_eq!(removal.envelope["subject"], bobs_id.as_str());
    alice.say_in(room, "to one").await?;
    until("nobody is let in any more", async || {
        let shown = bob.room(room).await?;
        ensure!(shown.is_none(), "{shown:?}");
        Ok(())
    })
    .await?;
    assert!(bob.say_in(room, "still here?").await.is_err());
    listener.is_quiet().await.context("after the removal")?;
    Ok(())
}

#[tokio::test]
async fn both_open_the_same_direct_room_and_speak_there() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (stage.chat(1, &stage.alice)?, stage.chat(2, &stage.bob)?);
    let id = |tokens: &e2e::oidc::Tokens| -> Result<String> {
        Ok(tokens.access.claims()?["sub"].as_str().context("no sub")?.to_owned())
    };
    let (alices_id, bobs_id) = (id(&stage.alice)?, id(&stage.bob)?);
    let (one, other) = tokio::try_join!(alice.direct(&bobs_id), bob.direct(&alices_id))?;
    assert_eq!(one.room_id, other.room_id);
    assert_eq!((one.kind.as_str(), one.members), ("direct", 2));
    let room = one.room_id.as_str();
    let mut listener = bob.listen_to(room).await?;
    let said = alice.say_in(room, &mark("direct")).await?;
    listener.event(|event| event.message_id() == said.message_id).await?;
    until("it is among one's rooms, with what was said last", async || {
        let rooms = bob.my_rooms().await?;
        let is_it = |mine: &serde_json::Value| {
            mine["room_id"] == room && mine["last"]["message_id"] == said.message_id.as_str()
        };
        ensure!(rooms.iter().any(is_it), "{rooms:?}");
        Ok(())
    })
    .await
}
