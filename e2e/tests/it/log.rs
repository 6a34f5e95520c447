//! The log as a program reads it that is not ours: kcat.

use anyhow::{Context as _, Result, ensure};
use e2e::log::Topic;
use e2e::wait::within;
use serde_json::Value;
use tokio::process::Command;

use crate::stage::{Stage, mark};

/// Everything in the topic with messages, as kcat tells it: one JSON object for each record.
async fn records(stage: &Stage) -> Result<Vec<Value>> {
    let endpoints = stage.stack.endpoints();
    let topic = Topic::messages(endpoints);
    let kcat = Command::new("kcat")
        .args(["-C", "-q", "-e", "-J", "-o", "beginning", "-b", &endpoints.kafka, "-t"])
        .arg(topic.name())
        .kill_on_drop(true)
        .output();
    let output = within("kcat", async { kcat.await.context("it cannot be started") }).await?;
    ensure!(output.status.success(), "kcat: {}", String::from_utf8_lossy(&output.stderr));
    let lines = std::str::from_utf8(&output.stdout)?.lines();
    lines.map(|line| serde_json::from_str(line).context("kcat writes JSON")).collect()
}

#[tokio::test]
async fn a_foreign_consumer_reads_sensible_json_from_the_log() -> Result<()> {
    let stage = Stage::shared().await?;
    let content = format!("{}: Grüße, \"Kafka\"\n", mark("kcat"));
    let accepted = stage.chat(1, &stage.alice)?.post(&content).await?;

    let records = records(stage).await?;
    let payload = |record: &Value| -> Option<Value> {
        serde_json::from_str(record["payload"].as_str()?).ok()
    };
    let found = records.iter().find(|record| {
        payload(record).is_some_and(|message| message["message_id"] == *accepted.message_id)
    });
    let record = found.context("the message is not among the records")?;
    let message = payload(record).context("it was read before")?;

    assert_eq!(record["key"], "lobby");
    assert_eq!((&message["v"], &message["type"]), (&1.into(), &"message".into()));
    assert_eq!(message["room_id"], "lobby");
    assert_eq!(message["content"], content);
    assert_eq!(message["user_id"], stage.alice.access.claims()?["sub"]);
    assert_eq!(message["user_name"], "Alice Arnold");
    let time = message["timestamp"].as_str().context("a time is text")?;
    chrono::DateTime::parse_from_rfc3339(time).context("a time is RFC 3339")?;
    Ok(())
}
