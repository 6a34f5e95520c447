//! Looking at a cluster and changing it, in the words of kubectl.

use anyhow::{Context as _, Result, ensure};
use devstack::cluster::Cluster;
use serde_json::{Value, json};

use crate::wait::until_after;

use std::time::Duration;

/// A hang limit for what a busy cluster takes seconds for.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The namespace of the chart.
const NAMESPACE: &str = "chatapp";

/// Objects of the chart's namespace.
pub async fn list(cluster: &Cluster, kind: &str) -> Result<Vec<Value>> {
    let text = cluster.kubectl(["--namespace", NAMESPACE, "get", kind, "--output=json"]).await?;
    let mut found: Value = serde_json::from_str(&text).context("kubectl speaks no JSON")?;
    serde_json::from_value(found["items"].take()).context("kubectl lists nothing")
}

/// An object of the chart's namespace.
pub async fn get(cluster: &Cluster, kind: &str, name: &str) -> Result<Value> {
    let args = ["--namespace", NAMESPACE, "get", kind, name, "--output=json"];
    serde_json::from_str(&cluster.kubectl(args).await?).context("kubectl speaks no JSON")
}

/// Anything else, in the chart's namespace.
pub async fn kubectl(cluster: &Cluster, args: &[&str]) -> Result<String> {
    cluster.kubectl(["--namespace", NAMESPACE].iter().chain(args)).await
}

/// The name of an object.
#[must_use]
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The pods that a Deployment runs now, those that are ready and not leaving.
pub async fn pods_of(cluster: &Cluster, deployment: &str) -> Result<Vec<String>> {
    let pods = all_pods_of(cluster, deployment).await?;
    Ok(pods.iter().filter(|pod| serves(pod)).map(|pod| name(pod).to_owned()).collect())
}

/// Every pod of a Deployment, those that start and those that leave, too.
async fn all_pods_of(cluster: &Cluster, deployment: &str) -> Result<Vec<Value>> {
    let prefix = format!("{deployment}-");
    let belongs = |pod: &Value| {
        let owner = &pod["metadata"]["ownerReferences"][0];
        let of = owner["name"].as_str().and_then(|name| name.strip_prefix(&prefix));
        owner["kind"] == "ReplicaSet" && of.is_some_and(|rest| !rest.contains('-'))
    };
    let mut pods = list(cluster, "pods").await?;
    pods.retain(belongs);
    Ok(pods)
}

/// Whether a pod is ready and not leaving.
fn serves(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let is_ready = conditions
        .is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"));
    is_ready && pod["metadata"]["deletionTimestamp"].is_null()
}

/// Asks for the eviction of a pod, as a drain does. Tells whether it is allowed now.
pub async fn evict(cluster: &Cluster, pod: &str) -> Result<bool> {
    let file = tempfile::NamedTempFile::new().context("no temporary file")?;
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": pod, "namespace": NAMESPACE},
    });
    std::fs::write(file.path(), eviction.to_string()).context("the eviction has no file")?;
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction");
    let file = file.path().display().to_string();
    match cluster.kubectl(["create", "--raw", &path, "--filename", &file]).await {
        Ok(_) => Ok(true),
        Err(error) if format!("{error:#}").contains("disruption budget") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits until a Deployment has all the pods that it wants, and those that it does not have ended.
pub async fn settled(cluster: &Cluster, deployment: &str) -> Result<()> {
    until_after(PATIENCE, &format!("{deployment} settles"), async || {
        let found = get(cluster, "deployment", deployment).await?;
        let (wanted, status) = (&found["spec"]["replicas"], &found["status"]);
        let is_settled = ["replicas", "updatedReplicas", "readyReplicas"]
            .iter()
            .all(|count| status[*count] == *wanted)
            && status["observedGeneration"] == found["metadata"]["generation"];
        ensure!(is_settled, "its status is {status}");
        let pods = all_pods_of(cluster, deployment).await?;
        let ready = pods.iter().filter(|pod| serves(pod)).count();
        ensure!(
            wanted.as_u64() == Some(ready as u64) && pods.len() == ready,
            "{ready} of {} pods are ready and stay",
            pods.len()
        );
        Ok(())
    })
    .await
}
