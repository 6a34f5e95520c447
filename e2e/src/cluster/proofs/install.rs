//! What was installed.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::checkout;
use devstack::cluster::{Memory, Use};
use devstack::console::say;
use serde_json::Value;
use tokio::time::Instant;

use crate::cluster::kube::{self, PATIENCE, kubectl};
use crate::cluster::load::under_load;
use crate::cluster::stage::Stage;
use crate::wait::until_after;

/// From built programs to a chart whose test is green, the cluster and its images included, on two processors of one's
/// own.
const GREEN: Duration = Duration::from_secs(90);
/// What the programs of Kubernetes and all pods may have in memory, in MiB: 1.2 GiB.
const CLUSTER: u64 = 1228;

pub(super) async fn helm_test(stage: &mut Stage) -> Result<()> {
    let start = Instant::now();
    let said = stage.cluster.helm(["test", "chatapp", "--logs", "--timeout=3m"]).await?;
    ensure!(said.contains("Succeeded"), "helm test says: {said}");
    let (green, promised) = ((stage.installed_in + start.elapsed()).as_secs(), GREEN.as_secs());
    say(format!("    green {green} s after the programs were built; promised are {promised}"));
    ensure!(!stage.check || green <= promised, "that is too long");
    Ok(())
}

/// The namespace refuses everything else, so what runs was admitted.
pub(super) async fn restricted(stage: &mut Stage) -> Result<()> {
    let cluster = &stage.cluster;
    let namespace = cluster.kubectl(["get", "namespace", "chatapp", "--output=json"]).await?;
    let namespace: Value = serde_json::from_str(&namespace)?;
    let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    ensure!(*level == "restricted", "the level is {level}");
    let bare = kubectl(cluster, &["run", "bare", "--image=none", "--dry-run=server"]).await;
    let refusal = bare.err().context("a pod without any settings is admitted")?;
    ensure!(format!("{refusal:#}").contains("PodSecurity"), "it is refused with {refusal:#}");
    for deployment in kube::list(cluster, "deployments").await? {
        kube::settled(cluster, kube::name(&deployment)).await?;
    }
    let pods = kube::list(cluster, "pods").await?;
    let names: Vec<&str> = pods.iter().map(kube::name).collect();
    say(format!("    admitted: {}", names.join(" ")));
    ensure!(pods.len() >= 6, "there are only {names:?}");
    Ok(())
}

/// What has pods of its own, and where the chart's values have what it requests.
const COMPONENTS: [(&str, &str); 3] =
    [("auth-connector", "authConnector"), ("chat-api", "chatApi"), ("dex", "dex")];
/// So many messages, and those who sign in meanwhile, have everything read and allocated that a request needs.
const SAID: i64 = 1_000;

/// While people speak and sign in; compared with what the chart's own values request. With ten thousand sockets chat-api
/// has more, and values.yaml says how much.
///
/// Processor time is shown and not judged: it grows with the load, and the load of a test is nobody's.
pub(super) async fn usage(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let archived = async || stage.scene.archive.progress(stage.scene.lobby.partition).await;
    let before = archived().await?;
    let (start, idle) = (Instant::now(), stage.cluster.used());
    let (used, time) = under_load(stage, None, async {
        until_after(PATIENCE, "enough is said and stored", async || {
            let stored = archived().await? - before;
            ensure!(stored >= SAID, "{stored} messages are");
            Ok(())
        })
        .await?;
        Ok((stage.cluster.used(), start.elapsed()))
    })
    .await?;
    let Memory { node, pods, beside } = stage.cluster.memory();
    say(format!(
        "    the cluster: node {node} MiB, pods {pods} MiB; servers beside it {beside} MiB"
    ));
    let values = fs::read_to_string(checkout::root().join("helm/chatapp/values.yaml"))?;
    let values: Value = serde_yaml_ng::from_str(&values).context("values.yaml is no YAML")?;
    let mut findings = Vec::new();
    for (name, key) in COMPONENTS {
        let requests = &values[key]["resources"]["requests"];
        let requested = requests["memory"].as_str();
        let requested = requested.and_then(|text| text.strip_suffix("Mi")?.parse::<u64>().ok());
        let requested = requested.with_context(|| format!("{key} requests no memory in Mi"))?;
        let Use { memory, processor } =
            used.get(name).copied().with_context(|| format!("{name} uses nothing"))?;
        let spent =
            processor.saturating_sub(idle.get(name).map_or(Duration::ZERO, |used| used.processor));
        say(format!("    {name}: requested {requested} MiB, used {memory} MiB"));
        say(format!(
            "    {name}: requested for each replica {} of a processor, used by all {:.0}m",
            requests["cpu"].as_str().unwrap_or("nothing"),
            1000.0 * spent.as_secs_f64() / time.as_secs_f64(),
        ));
        if memory > requested * 2 || requested > memory * 2 {
            findings.push(format!("{name} requests {requested} MiB and uses {memory} MiB"));
        }
    }
    ensure!(node + pods <= CLUSTER, "the cluster has {} MiB, not {CLUSTER}", node + pods);
    ensure!(findings.is_empty(), "{}", findings.join("; "));
    Ok(())
}
