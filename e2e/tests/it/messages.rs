//! A message's way: 202, socket, archive.

use anyhow::Result;
use e2e::archive;
use futures_util::future::try_join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Stage, mark};

#[tokio::test]
async fn what_one_person_posts_another_receives_and_the_archive_holds() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (&stage.alice, &stage.bob);
    let mut listener = stage.chat(1, bob)?.listen().await?;
    let speaker = stage.chat(1, alice)?;

    let before = speaker.post("before").await?;
    let content = format!("{}: Grüße, \"Bob\" \u{1f44b}\n<b>", mark("way"));
    let accepted = speaker.post(&content).await?;
    assert_eq!((&*accepted.status, &*accepted.room_id), ("enqueued", "lobby"));

    let event = listener.event(|event| event.message_id() == accepted.message_id).await?;
    let claims = alice.access.claims()?;
    assert_eq!(event.content(), content);
    assert_eq!(event.envelope["user_id"], claims["sub"]);
    assert_eq!(event.envelope["user_name"], "Alice Arnold");
    assert_eq!(Some(&event.cursor), accepted.cursor.as_ref());

    let stored = stage.archive().await?.message(&accepted.message_id).await?;
    assert_eq!(archive::envelope(&stored)?, event.envelope);

    let history = speaker.history_after(&before.cursor.unwrap_or_default()).await?;
    let found: Vec<&Value> =
        history.iter().filter(|message| message["message_id"] == accepted.message_id).collect();
    assert_eq!(found.len(), 1);
    for field in ["content", "user_id", "user_name", "room_id", "timestamp"] {
        assert_eq!(found[0][field], event.envelope[field], "{field}");
    }
    Ok(())
}

#[tokio::test]
async fn what_two_people_do_to_a_message_at_two_replicas_comes_to_one_state() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (stage.chat(1, &stage.alice)?, stage.chat(2, &stage.bob)?);
    let mut listener = bob.listen().await?;
    let said = alice.post(&mark("changes")).await?;
    let id = said.message_id.as_str();
    let reacted = bob.react(id, "\u{1f44b}", true).await?;
    let edited = alice.edit(id, "another text").await?;
    assert!(bob.edit(id, "not mine").await.is_err(), "it is somebody else's");
    for kind in ["react", "edit"] {
        let event = listener.event(|event| event.envelope["ref"] == id).await?;
        assert_eq!(event.envelope["type"], kind);
    }
    let after = edited.cursor.unwrap_or_default();
    let shown = bob.message_after(id, &after).await?;
    assert_eq!((&shown["content"], &shown["changed"]), (&json!("another text"), &json!(after)));
    let reaction = json!([{ "emoji": "\u{1f44b}", "count": 1, "mine": true }]);
    assert_eq!(shown["reactions"], reaction);
    assert_eq!(bob.texts_of(id).await?.len(), 2);
    assert_eq!(bob.react(id, "\u{1f44b}", true).await?.status, "unchanged");
    assert!(reacted.cursor.is_some());

    let deleted = alice.delete(id).await?;
    let shown = bob.message_after(id, &deleted.cursor.unwrap_or_default()).await?;
    assert!(shown["deleted_at"].is_string() && shown.get("content").is_none(), "{shown}");
    assert!(bob.texts_of(id).await.is_err());
    Ok(())
}

#[tokio::test]
async fn two_replicas_see_each_other_s_messages_in_one_order() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (&stage.alice, &stage.bob);
    let (first, second) = (stage.chat(1, alice)?, stage.chat(2, bob)?);
    let (mut at_first, mut at_second) = (first.listen().await?, second.listen().await?);

    let mark = mark("order");
    let posts = (0..60).map(|number| {
        let at = if number % 2 == 0 { &first } else { &second };
        let content = format!("{mark} {number}");
        async move { at.post(&content).await }
    });
    let accepted = try_join_all(posts).await?;
    let ids: Vec<String> = accepted.into_iter().map(|message| message.message_id).collect();

    let order = |events: Vec<e2e::chat::Event>| -> Vec<String> {
        events.iter().map(|event| event.message_id().to_owned()).collect()
    };
    let heard_first = order(at_first.events_of(&ids).await?);
    let heard_second = order(at_second.events_of(&ids).await?);
    assert_eq!(heard_first, heard_second);
    let (mut heard, mut sent) = (heard_first, ids);
    heard.sort();
    sent.sort();
    assert_eq!(heard, sent, "each once");
    Ok(())
}

#[tokio::test]
async fn nobody_speaks_in_somebody_else_s_name() -> Result<()> {
    let stage = Stage::shared().await?;
    let (alice, bob) = (&stage.alice, &stage.bob);
    let body = json!({ "content": "I am Bob", "user_id": bob.access.claims()?["sub"] });
    let reply = stage.chat(1, alice)?.try_post(&body).await?;
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{}", reply.body);
    Ok(())
}
