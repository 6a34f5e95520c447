//! The demo: two people, one message, every part it passes, and how fast.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use devstack::checkout;
use devstack::endpoints::{DemoUser, Endpoints};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::archive::{self, Archive};
use crate::chat::{Chat, Listener, TURN};
use crate::oidc::{App, LOCAL_ACCOUNTS, Tokens};
use crate::wait::within;

/// Sign in two people and pass a message between them, on the running stack.
#[derive(Debug, Parser)]
#[command(name = "demo", disable_version_flag = true)]
pub struct DemoOptions {
    /// Where the stack is: what `./dev up` wrote.
    #[arg(default_value_os_t = checkout::state().join("endpoints.json"))]
    endpoints: PathBuf,

    /// In the cluster of `./dev cluster up` instead.
    #[arg(long, conflicts_with = "endpoints")]
    cluster: bool,

    /// How many messages are timed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    messages: u16,
}

/// Runs all steps; the error names the one that failed and what was seen.
pub async fn run(options: &DemoOptions) -> Result<()> {
    let endpoints = if options.cluster {
        Endpoints::read(&checkout::state().join("cluster.json"))
            .context("./dev cluster up first")?
    } else {
        Endpoints::read(&options.endpoints)?
    };
    let [first, second, ..] = endpoints.demo_users.as_slice() else {
        anyhow::bail!("this stack has no Local Accounts: ./dev up without --no-local-accounts");
    };
    let app = step("Dex tells about itself", App::spa(&endpoints)).await?;
    let alice = sign_in(&app, first).await?;
    let bob = sign_in(&app, second).await?;
    let claims = alice.access.claims()?;
    show(&format!("the access token of {} says", first.login), &claims);

    let speaker = Chat::new(&endpoints.chat_api, &alice.access)?;
    // At another replica, if there is one.
    let heard_at = endpoints.chat_replicas.last().unwrap_or(&endpoints.chat_api);
    let hearer = Chat::new(heard_at, &bob.access)?;
    let what = format!("{} listens on {heard_at}/v1/ws", second.login);
    let mut listener = step(&what, hearer.listen()).await?;

    let content =
        format!("Hello {}, it is {}.", second.login, chrono::Local::now().format("%T%.3f"));
    let what = format!("{} posts to {}/v1/messages: 202", first.login, endpoints.chat_api);
    let accepted = step(&what, speaker.post(&content)).await?;
    show(
        "the log has it",
        &serde_json::json!({
            "message_id": accepted.message_id, "status": accepted.status,
            "room_id": accepted.room_id, "cursor": accepted.cursor,
        }),
    );
    let mine = listener.event(|event| event.message_id() == accepted.message_id);
    let event = step(&format!("{} receives it", second.login), mine).await?;
    show("the event", &event.envelope);
    ensure!(event.content() == content, "failed step: the event says something else");
    ensure!(
        event.envelope["user_id"] == claims["sub"],
        "failed step: the event is somebody else's"
    );

    let stored = step("MongoDB holds it", async {
        Archive::open(&endpoints).await?.message(&accepted.message_id).await
    })
    .await?;
    show("the document", &serde_json::to_value(&stored)?);
    let stored = archive::envelope(&stored)?;
    ensure!(stored == event.envelope, "failed step: the document is not the event: {stored}");

    let what = format!("{} more messages, one by one", options.messages);
    let mut times = step(&what, time(&speaker, &mut listener, options.messages)).await?;
    times.sort_unstable();
    say(&format!(
        "            post to receive: p50 {:.1} ms, p99 {:.1} ms",
        millis(percentile(&times, 50)),
        millis(percentile(&times, 99)),
    ));
    Ok(())
}

async fn sign_in(app: &App, person: &DemoUser) -> Result<Tokens> {
    let DemoUser { login, password } = person;
    let what = format!("{login} signs in on Dex's page, {LOCAL_ACCOUNTS} (code + PKCE)");
    step(&what, app.sign_in(LOCAL_ACCOUNTS, login, password)).await
}

/// From the moment before each post to the moment its event is read.
async fn time(speaker: &Chat, listener: &mut Listener, messages: u16) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(messages.into());
    for number in 1..=messages {
        // Faster, and the wait for one's turn would be measured.
        sleep(TURN).await;
        let content = format!("message {number} of {messages}, {}", rand::random::<u32>());
        let start = Instant::now();
        let receive = async {
            listener.event(|event| event.content() == content).await?;
            Ok(start.elapsed())
        };
        let (_, taken) = tokio::try_join!(speaker.post(&content), receive)
            .with_context(|| format!("message {number}"))?;
        times.push(taken);
    }
    Ok(times)
}

/// The nearest-rank percentile of sorted times.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let start = Instant::now();
    let done = within(&format!("failed step: {what}"), work).await?;
    say(&format!("{:>8.1} ms {what}", millis(start.elapsed())));
    Ok(done)
}

fn show(title: &str, value: &Value) {
    say(&format!("            {title}:"));
    for line in format!("{value:#}").lines() {
        say(&format!("              {line}"));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::print_stdout, reason = "the demo is for reading")]
fn say(line: &str) {
    println!("{line}");
}
