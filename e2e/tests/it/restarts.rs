//! The chat API stops, crashes and comes back: nothing that was acknowledged is lost.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use devstack::stack::StackOptions;
use e2e::chat::{Chat, Event};
use futures_util::future::join_all;

use crate::stage::{Stage, mark};

/// Posts at once; gives the ids of those that were acknowledged.
async fn post_many(chat: &Chat, mark: &str, count: usize) -> Vec<String> {
    let posts = (0..count).map(|number| {
        let content = format!("{mark} {number}");
        async move { chat.post(&content).await }
    });
    let outcomes = join_all(posts).await;
    outcomes.into_iter().flatten().map(|accepted| accepted.message_id).collect()
}

/// Everything of these is in the archive once, and a socket that goes on from the cursor hears
/// each once.
async fn assert_kept(stage: &Stage, chat: &Chat, cursor: &str, ids: &[String]) -> Result<()> {
    stage.archive().await?.holds(ids).await?;
    let heard = chat.resume(cursor).await?.events_of(ids).await?;
    let distinct: HashSet<&str> = heard.iter().map(Event::message_id).collect();
    ensure!(distinct.len() == ids.len(), "{} of {} were heard", distinct.len(), ids.len());
    Ok(())
}

#[tokio::test]
async fn a_stopped_chat_api_comes_back_with_every_message() -> Result<()> {
    let stage = Stage::open(StackOptions::test(1)?).await?;
    let chat = stage.chat(1, &stage.alice)?;
    let mut listener = chat.listen().await?;
    let first = chat.post("first").await?.cursor.unwrap_or_default();

    let before = post_many(&chat, &mark("stop"), 50).await;
    assert_eq!(before.len(), 50);
    let replica = stage.stack.part("chat-1")?;
    let (in_order, code) = tokio::join!(replica.stop(), listener.closed());
    assert!(in_order, "it had to be killed");
    assert_eq!(code?, 4001);
    replica.start().await?;

    let after = post_many(&chat, &mark("stop"), 10).await;
    assert_eq!(after.len(), 10);
    assert_kept(&stage, &chat, &first, &[before, after].concat()).await
}

#[tokio::test]
async fn a_killed_chat_api_loses_nothing_it_acknowledged() -> Result<()> {
    let stage = Stage::open(StackOptions::test(2)?).await?;
    let (killed, other) = (stage.chat(1, &stage.alice)?, stage.chat(2, &stage.bob)?);
    let first = killed.post("first").await?.cursor.unwrap_or_default();
    let mut listener = other.listen().await?;

    // Killed while it posts: some are acknowledged, some are not.
    let mark = mark("kill");
    let replica = stage.stack.part("chat-1")?;
    let mut acknowledged = post_many(&killed, &format!("{mark} before"), 50).await;
    let during = format!("{mark} during");
    let (more, ()) = tokio::join!(post_many(&killed, &during, 200), async {
        // As soon as the first of them is through.
        let _ = listener.event(|event| event.content().starts_with(&during)).await;
        replica.kill().await;
    });
    acknowledged.extend(more);
    assert_kept(&stage, &other, &first, &acknowledged).await?;

    replica.start().await?;
    acknowledged.extend(post_many(&killed, &format!("{mark} after"), 10).await);
    assert!(acknowledged.len() >= 60, "{} were acknowledged", acknowledged.len());
    assert_kept(&stage, &killed, &first, &acknowledged).await?;
    // What was not acknowledged may be there; nothing is there twice.
    let contents = stage.archive().await?.contents(&mark).await?;
    assert_eq!(contents.iter().collect::<HashSet<_>>().len(), contents.len());
    Ok(())
}
