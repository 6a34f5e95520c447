//! Pods that go.

use anyhow::{Context as _, Result, ensure};
use devstack::console::say;

use crate::cluster::kube::{self, PATIENCE};
use crate::cluster::load::{Crash, under_load};
use crate::cluster::stage::Stage;
use crate::wait::until_after;

/// What keeps no state.
const DEPLOYMENTS: [&str; 3] = ["auth-connector", "dex", "chat-api"];

/// The program of a pod ends without a word, as by a crash or for want of memory. (`kubectl delete --force` would not do:
/// a kubelet that is alive still ends such a pod in order.)
///
/// Less is promised than of whoever leaves in order: nobody can tell its sockets to go elsewhere, so they end without a
/// word (1006) and resume, and a login that begins within seconds of it may have to be tried again ([`Crash`]).
pub(super) async fn pod_killed(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let crash = Crash::default();
    under_load(stage, Some(&crash), async {
        for deployment in DEPLOYMENTS {
            let pods = kube::pods_of(&stage.cluster, deployment).await?;
            let pod = pods.first().with_context(|| format!("{deployment} has no pod"))?;
            let (id, starts) = container(stage, pod).await?;
            crash.happens();
            stage.cluster.kill_container(&id).await?;
            until_after(PATIENCE, &format!("{pod} starts again"), async || {
                let now = container(stage, pod).await?.1;
                ensure!(now > starts, "it was started {now} times");
                Ok(())
            })
            .await?;
            kube::settled(&stage.cluster, deployment).await?;
        }
        Ok(())
    })
    .await
}

/// The container of a pod: its id, and how often it was started again.
async fn container(stage: &Stage, pod: &str) -> Result<(String, u64)> {
    let pod = kube::get(&stage.cluster, "pod", pod).await?;
    let status = &pod["status"]["containerStatuses"][0];
    let id = status["containerID"].as_str().context("a pod has a container")?.to_owned();
    Ok((id, status["restartCount"].as_u64().context("a container has a count")?))
}

/// As a drain of the node does it: each pod once, and the next one when the budget allows it.
pub(super) async fn evictions(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let refusals = under_load(stage, None, async {
        let mut refusals = 0;
        for deployment in DEPLOYMENTS {
            for pod in kube::pods_of(&stage.cluster, deployment).await? {
                until_after(PATIENCE, &format!("{pod} may go"), async || {
                    let evicted = kube::evict(&stage.cluster, &pod).await?;
                    refusals += u32::from(!evicted);
                    ensure!(evicted, "the budget allows no eviction");
                    Ok(())
                })
                .await?;
            }
            kube::settled(&stage.cluster, deployment).await?;
        }
        Ok(refusals)
    })
    .await?;
    say(format!("    evictions that had to wait for the budget: {refusals}"));
    ensure!(refusals > 0, "the budgets forbade nothing");
    Ok(())
}
