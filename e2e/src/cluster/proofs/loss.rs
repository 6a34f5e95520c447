//! Pods that go.

use anyhow::{Context as _, Result, ensure};
use devstack::console::say;

use crate::cluster::kube::{self, PATIENCE, kubectl};
use crate::cluster::load::under_load;
use crate::cluster::stage::Stage;
use crate::wait::until_after;

/// What keeps no state.
const DEPLOYMENTS: [&str; 3] = ["auth-connector", "dex", "chat-api"];

/// Killed as by a crash of its node: no grace.
pub(super) async fn pod_killed(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    under_load(stage, true, async {
        for deployment in DEPLOYMENTS {
            let pods = kube::pods_of(&stage.cluster, deployment).await?;
            let pod = pods.first().with_context(|| format!("{deployment} has no pod"))?;
            kubectl(&stage.cluster, &["delete", "pod", pod, "--grace-period=0", "--force"]).await?;
            kube::settled(&stage.cluster, deployment).await?;
        }
        Ok(())
    })
    .await
}

/// As a drain of the node does it: each pod once, and the next one when the budget allows it.
pub(super) async fn evictions(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let refusals = under_load(stage, false, async {
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
