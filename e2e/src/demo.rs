//! The demo: two people, one message, every part it passes, and how fast; and three people in rooms.

mod place;
mod rooms;
mod show;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use tokio::time::{Instant, sleep};

use crate::archive::{self, Archive};
use crate::chat::{Chat, Listener, TURN};
use crate::oidc::App;
use place::{DemoPlace, people, sign_in};
use show::{millis, say, show, step};

/// Sign in two people and pass a message between them, on the running stack.
#[derive(Debug, Parser)]
#[command(name = "demo", disable_version_flag = true, args_conflicts_with_subcommands = true)]
pub struct DemoOptions {
    #[command(flatten)]
    place: DemoPlace,

    /// How many messages are timed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    messages: u16,

    #[command(subcommand)]
    play: Option<Play>,
}

/// Another play than the one message.
#[derive(Debug, Subcommand)]
enum Play {
    /// Three people, a group and a direct conversation: what each of them sees
    Rooms(DemoPlace),
}

/// Runs all steps; the error names the one that failed and what was seen.
pub async fn run(options: &DemoOptions) -> Result<()> {
    if let Some(Play::Rooms(place)) = &options.play {
        return rooms::run(&place.endpoints()?).await;
    }
    let endpoints = options.place.endpoints()?;
    let [first, second] = people(&endpoints)?;
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
