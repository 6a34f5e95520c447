//! Rooms, between pods.

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::StatusCode;

use crate::chat::{Chat, Listener};
use crate::cluster::kube::{self, PATIENCE, kubectl};
use crate::cluster::stage::Stage;
use crate::wait::{until, until_after};
use crate::wallet::Wallet;

/// The Deployment with the replicas.
const CHAT: &str = "chat-api";

/// A group of two people, each at a pod of their own, ends for the one who is removed. A pod that comes then has it from
/// the archive.
pub(super) async fn rooms(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let pods = kube::pods_of(&stage.cluster, CHAT).await?;
    let ([first, second, ..], [owner, member, ..]) = (pods.as_slice(), &*stage.scene.people) else {
        bail!("there are {} pods", pods.len())
    };
    let (alice, bob) = (at(stage, first, owner).await?, at(stage, second, member).await?);
    let bobs_id = member.subject().await?;
    let room = alice.create_room("group", "Between pods").await?.room_id;
    ensure!(bob.room(&room).await?.is_none(), "to a stranger there is a group");
    alice.put_member(&room, &bobs_id, None).await?;
    until("the other pod knows of the member", async || {
        let shown = bob.room(&room).await?;
        ensure!(shown.as_ref().is_some_and(|shown| shown.members == 2), "{shown:?}");
        Ok(())
    })
    .await?;
    let mut listener = bob.listen_to(&room).await?;
    hears(&mut listener, &alice.say_in(&room, "to both").await?.message_id).await?;
    let mut answers = alice.listen_to(&room).await?;
    hears(&mut answers, &bob.say_in(&room, "heard").await?.message_id).await?;

    alice.end_member(&room, &bobs_id).await?;
    let removal = listener.event(|event| event.envelope["act"] == "remove").await?;
    ensure!(removal.envelope["subject"] == bobs_id.as_str(), "{} is removed", removal.envelope);
    let behind = alice.say_in(&room, "to one").await?;
    hears(&mut answers, &behind.message_id).await?;
    is_out(&bob, &room).await?;
    listener.is_quiet().await.context("after the removal")?;

    kubectl(&stage.cluster, &["delete", "pod", second]).await?;
    kube::settled(&stage.cluster, CHAT).await?;
    let fresh = until_after(PATIENCE, "another pod serves", async || {
        let now = kube::pods_of(&stage.cluster, CHAT).await?;
        now.into_iter().find(|pod| !pods.contains(pod)).context("there is no other one")
    })
    .await?;
    is_out(&at(stage, &fresh, member).await?, &room).await?;
    let shown =
        at(stage, &fresh, owner).await?.try_history(&room, behind.cursor.as_deref()).await?;
    let contents: Option<Vec<&str>> = shown
        .body
        .as_array()
        .and_then(|all| all.iter().map(|said| said["content"].as_str()).collect());
    ensure!(
        contents.as_deref() == Some(&["to both", "heard", "to one"]),
        "the new pod shows {}: {}",
        shown.status,
        shown.body
    );
    Ok(())
}

/// Somebody at a pod.
async fn at(stage: &Stage, pod: &str, wallet: &Wallet) -> Result<Chat> {
    let pod = kube::get(&stage.cluster, "pod", pod).await?;
    let address = pod["status"]["podIP"].as_str().context("a pod has no address")?;
    Chat::new(&format!("http://{address}:8080"), &wallet.token().await)
}

async fn hears(listener: &mut Listener, message: &str) -> Result<()> {
    listener.event(|event| event.message_id() == message).await.map(drop)
}

/// Waits until to somebody there is no such room, and fails if anything of it is shown then, or anything said.
async fn is_out(chat: &Chat, room: &str) -> Result<()> {
    until("nobody is let in any more", async || {
        let shown = chat.room(room).await?;
        ensure!(shown.is_none(), "{shown:?}");
        Ok(())
    })
    .await?;
    let history = chat.try_history(room, None).await?.status;
    ensure!(history == StatusCode::NOT_FOUND, "the history answers {history}");
    ensure!(chat.say_in(room, "still here?").await.is_err(), "whoever was removed may speak");
    Ok(())
}
