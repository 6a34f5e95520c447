//! A chat client that is not ours: `e2e/foreign`, on npm's `ws`.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use e2e::oidc::{LOCAL_ACCOUNTS, Token};
use e2e::wait::within;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::npm::{facts, folder, install, step};
use crate::stage::{Stage, mark, password};

const PROGRAM: &str = "foreign";

/// The client as it runs, and what it took of this test's messages.
struct Foreign {
    process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    cursor: String,
}

impl Foreign {
    /// Starts it and waits until it hears the lobby, from a cursor on if there is one.
    async fn start(replica: &str, token: &Token, cursor: Option<&str>) -> Result<Self> {
        let mut process = Command::new("node")
            .arg(folder(PROGRAM).join("client.js"))
            .env("CHAT_API", replica)
            .env("TOKEN", token.expose())
            .envs(cursor.map(|cursor| ("CURSOR", cursor)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("node cannot be started")?;
        let input = process.stdin.take().context("it has an input")?;
        let output = process.stdout.take().context("it has an output")?;
        let mut lines = BufReader::new(output).lines();
        step(&mut lines, "ready").await?;
        let cursor = cursor.unwrap_or_default().to_owned();
        Ok(Self { process, input, lines, cursor })
    }

    async fn say(&mut self, content: &str) -> Result<()> {
        Ok(self.input.write_all(format!("{content}\n").as_bytes()).await?)
    }

    /// Its next step of this name; it takes messages meanwhile, in their order.
    async fn until(&mut self, name: &str, taken: &mut Vec<Value>) -> Result<Value> {
        loop {
            let facts = facts(&mut self.lines).await.with_context(|| format!("before {name:?}"))?;
            let is_known = ["event", "resumed", "ack"].iter().any(|known| facts["step"] == *known);
            ensure!(is_known, "{facts} before {name:?}");
            if facts["step"] == "event" || self.cursor.is_empty() {
                facts["cursor"].as_str().context("no cursor")?.clone_into(&mut self.cursor);
            }
            if facts["step"] == "event" {
                taken.push(facts.clone());
            }
            if facts["step"] == name {
                return Ok(facts);
            }
        }
    }

    /// Takes messages until it has this one.
    async fn until_taken(&mut self, content: &str, taken: &mut Vec<Value>) -> Result<()> {
        while taken.last().is_none_or(|last| last["content"] != content) {
            self.until("event", taken).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_foreign_client_that_follows_the_document_speaks_hears_and_resumes() -> Result<()> {
    let stage = Stage::shared().await?;
    within("npm ci", install(PROGRAM)).await?;
    let quinn = stage.app.sign_in(LOCAL_ACCOUNTS, "quinn", &password("quinn")).await?;
    let replicas = &stage.stack.endpoints().chat_replicas;
    let alice = stage.chat(1, &stage.alice)?;
    let (mark, mut taken) = (mark("foreign"), Vec::new());
    let content = |number: u32| format!("{mark} {number}");

    within("a foreign client", async {
        let mut client = Foreign::start(&replicas[0], &quinn.access, None).await?;
        client.until("resumed", &mut taken).await?;
        client.say(&content(0)).await?;
        let mut before = Vec::new();
        let ack = client.until("ack", &mut before).await?;
        assert_eq!(ack["ref"], content(0));
        // Its own message comes too, before or after the answer.
        taken.append(&mut before);
        client.until_taken(&content(0), &mut taken).await?;
        let own = taken.last().context("it has one")?;
        assert_eq!((&own["message_id"], &own["cursor"]), (&ack["message_id"], &ack["cursor"]));
        assert_eq!(own["user_name"], "Quinn Example");

        client.process.kill().await?;
        for number in 1..=5 {
            alice.post(&content(number)).await?;
        }
        let cursor = client.cursor;
        let mut client = Foreign::start(&replicas[1], &quinn.access, Some(&cursor)).await?;
        client.until("resumed", &mut taken).await?;
        alice.post(&content(6)).await?;
        client.until_taken(&content(6), &mut taken).await
    })
    .await?;

    let contents = taken.iter().filter_map(|event| event["content"].as_str());
    let ours: Vec<&str> = contents.filter(|content| content.starts_with(&mark)).collect();
    assert_eq!(ours, (0..=6).map(content).collect::<Vec<_>>(), "each once and in order");
    Ok(())
}
