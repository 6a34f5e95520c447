//! What platforms get wrong, and how they are told.

use anyhow::{Context as _, Result, bail, ensure};
use devstack::checkout;
use devstack::console::say;
use serde_json::{Value, json};

use crate::cluster::kube::{self, kubectl};
use crate::cluster::stage::Stage;

/// The job that looks at everything before anything is changed says it.
pub(super) async fn missing_secret(stage: &mut Stage) -> Result<()> {
    let more = json!({"secrets": {"mongodb": "no-such-secret"}});
    let upgraded = stage.cluster.install_within(&stage.images, &more, "60s").await;
    ensure!(upgraded.is_err(), "the upgrade counts as done");
    let told = kubectl(&stage.cluster, &["logs", "job/prepare", "--tail=5"]).await?;
    say(format!("    {}", told.trim()));
    ensure!(told.contains("no-such-secret"), "the job says: {told}");
    stage.upgrade(&json!({})).await
}

/// Where nobody listens.
const NOWHERE: &str = "198.18.0.1:1";

pub(super) async fn wrong_dsn(stage: &mut Stage) -> Result<()> {
    let dsn = format!("postgres://accounts:secret-of-the-test@{NOWHERE}/accounts");
    stage
        .cluster
        .apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "wrong-dsn", "namespace": "chatapp"}, "stringData": {"dsn": dsn},
        }))
        .await?;
    let told = fails(stage, "migrate", json!({"secrets": {"postgresOwner": "wrong-dsn"}})).await?;
    ensure!(!told.contains("secret-of-the-test"), "the job tells the password: {told}");
    stage.upgrade(&json!({})).await
}

pub(super) async fn no_kafka(stage: &mut Stage) -> Result<()> {
    fails(stage, "topics", json!({"kafka": {"brokers": [NOWHERE]}})).await?;
    stage.upgrade(&json!({})).await
}

/// Upgrades with values by which a job finds nobody: it has to fail in time and to say where it looked. Gives what it
/// says.
async fn fails(stage: &Stage, job: &str, mut values: Value) -> Result<String> {
    values["jobs"] = json!({"waitSeconds": 20, "runSeconds": 20});
    let upgraded = stage.cluster.install_within(&stage.images, &values, "120s").await;
    ensure!(upgraded.is_err(), "the upgrade counts as done");
    let status = kube::get(&stage.cluster, "job", job).await?["status"].take();
    let failed = status["conditions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["type"] == "Failed"));
    ensure!(failed, "the job's status is {status}");
    // The others never started, and kubectl fails at who has no log.
    let log = ["logs", &format!("job/{job}"), "--container=wait", "--tail=20"];
    let told = kubectl(&stage.cluster, &log).await?;
    say(format!("    {}", told.trim().lines().last().unwrap_or_default()));
    ensure!(told.contains(NOWHERE), "the job says: {told}");
    Ok(told)
}

/// What Helm says after an installation of the values for development, where it would have been made.
async fn notes_for_development(stage: &Stage) -> Result<String> {
    let root = checkout::root();
    let chart = root.join("helm/chatapp").display().to_string();
    let values = root.join("helm/values/development.yaml").display().to_string();
    let args = ["install", "development", &chart, "--values", &values];
    // Elsewhere: what is installed already is another release's.
    let args = args.into_iter().chain(["--namespace=default", "--dry-run=server"]);
    stage.cluster.helm(args).await
}

/// The servers of development need one; this cluster has none until the test makes one.
pub(super) async fn no_storage_class(stage: &mut Stage) -> Result<()> {
    const WARNING: &str = "no default StorageClass";
    let told = notes_for_development(stage).await?;
    let warning = told.lines().find(|line| line.contains(WARNING));
    say(format!("    {}", warning.context("the notes do not say it")?));
    stage
        .cluster
        .apply(&json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "nobody",
            "metadata": {
                "name": "default",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
        }))
        .await?;
    let told = notes_for_development(stage).await;
    kubectl(&stage.cluster, &["delete", "storageclass", "default"]).await?;
    ensure!(!told?.contains(WARNING), "the notes warn although there is one");
    Ok(())
}

pub(super) async fn contradictions(stage: &mut Stage) -> Result<()> {
    // The sentences are tested with the chart; here, that Helm shows them and nothing is changed.
    let contradictory = [
        ("unknown keys", json!({"chatapi": {"replicas": 3}}), "chatapi"),
        ("no issuer", json!({"publicURL": "", "dex": {"issuer": ""}}), "publicURL"),
        ("plain text in production", json!({"environment": "production"}), "production"),
    ];
    let before = stage.cluster.helm(["history", "chatapp", "--output=json"]).await?;
    for (what, values, named) in contradictory {
        let Err(error) = stage.cluster.install_within(&stage.images, &values, "60s").await else {
            bail!("{what}: taken");
        };
        let told = format!("{error:#}");
        let sentence = told.lines().find(|line| line.contains(named));
        let sentence = sentence.with_context(|| format!("{what}: {named} is not named: {told}"))?;
        say(format!("    {what}: {}", sentence.trim()));
    }
    let after = stage.cluster.helm(["history", "chatapp", "--output=json"]).await?;
    ensure!(before == after, "the release has a revision more: {after}");
    Ok(())
}
