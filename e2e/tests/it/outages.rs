//! A store goes away and comes back.

use anyhow::{Context as _, Result, ensure};
use devstack::stack::{Source, StackOptions};
use e2e::wait::until;
use reqwest::StatusCode;
use serde_json::json;

use crate::stage::{Stage, mark};

#[tokio::test]
async fn without_mongodb_messages_go_on_and_the_archive_catches_up() -> Result<()> {
    let mut options = StackOptions::test(1)?;
    options.mongodb = Source::Own;
    let stage = Stage::open(options).await?;
    let speaker = stage.chat(1, &stage.alice)?;
    let mut listener = stage.chat(1, &stage.bob)?.listen().await?;
    let (mark, mut ids, mut contents) = (mark("mongodb"), Vec::new(), Vec::new());
    let mut post = async |range: std::ops::Range<u32>| -> Result<()> {
        let mut posted = Vec::new();
        for number in range {
            contents.push(format!("{mark} {number}"));
            let content = contents.last().context("just pushed")?;
            posted.push(speaker.post(content).await.with_context(|| content.clone())?.message_id);
        }
        let heard = listener.events_of(&posted).await?;
        ensure!(heard.iter().map(e2e::chat::Event::message_id).eq(&posted), "another order");
        ids.extend(posted);
        Ok(())
    };

    post(0..20).await.context("with MongoDB")?;
    let mongodb = stage.stack.part("mongodb")?;
    mongodb.stop().await;
    post(20..40).await.context("without MongoDB")?;
    mongodb.start().await?;
    post(40..60).await.context("with MongoDB again")?;
    mongodb.kill().await;
    post(60..80).await.context("after MongoDB was killed")?;
    mongodb.start().await?;

    let archive = stage.archive().await?;
    archive.holds(&ids).await?;
    assert_eq!(archive.contents(&mark).await?, contents, "each once and in order");
    Ok(())
}

#[tokio::test]
async fn without_the_broker_a_post_is_refused_in_time_and_later_taken_again() -> Result<()> {
    let mut options = StackOptions::test(1)?;
    options.kafka = Source::Own;
    let stage = Stage::open(options).await?;
    let chat = stage.chat(1, &stage.alice)?;
    let mut listener = chat.listen().await?;
    let before = chat.post("before").await?;
    listener.event(|event| event.message_id() == before.message_id).await?;

    let broker = stage.stack.part("kafka")?;
    broker.stop().await;
    // Not later than the hang limit; the promise of 5 s is the chat API's own test.
    let reply = chat.try_post(&json!({ "content": "meanwhile" })).await?;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.body);
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert!(reply.headers.contains_key("retry-after"));
    assert!(["not_sent", "unknown"].iter().any(|outcome| reply.body["outcome"] == *outcome));

    broker.start().await?;
    let content = mark("broker");
    let after =
        until("a post after the broker's return", async || chat.post(&content).await).await?;
    let event = listener.event(|event| event.message_id() == after.message_id).await?;
    assert_eq!(event.content(), content);
    stage.archive().await?.message(&after.message_id).await?;
    // The socket stayed open all the time.
    let history = chat.history_after(&before.cursor.unwrap_or_default()).await?;
    assert!(history.iter().any(|message| message["message_id"] == after.message_id));
    Ok(())
}
