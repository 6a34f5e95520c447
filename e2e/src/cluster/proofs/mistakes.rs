//! What platforms get wrong, and how they are told.

use anyhow::{Context as _, Result, bail, ensure};
use devstack::console::say;
use serde_json::{Value, json};

use crate::cluster::kube::{self, kubectl};
use crate::cluster::stage::Stage;

/// The job that looks at everything before anything is changed says it.
pub(super) async fn missing_secret(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let more = json!({"secrets": {"mongodb": "no-such-secret"}});
    let upgraded = stage.cluster.install_within(&stage.images, &more, "60s").await;
    let told = kubectl(&stage.cluster, &["logs", "job/prepare", "--tail=5"]).await;
    stage.upgrade(&json!({})).await?;
    ensure!(upgraded.is_err(), "the upgrade counts as done");
    let told = told?;
    say(format!("    {}", told.trim()));
    ensure!(told.contains("no-such-secret"), "the job says: {told}");
    Ok(())
}

pub(super) async fn wrong_dsn(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let dsn = "postgres://accounts:secret-of-the-test@198.18.0.1:1/accounts";
    stage
        .cluster
        .apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "wrong-dsn", "namespace": "chatapp"}, "stringData": {"dsn": dsn},
        }))
        .await?;
    let more = json!({
        "secrets": {"postgresOwner": "wrong-dsn"}, "jobs": {"waitSeconds": 20, "runSeconds": 20},
    });
    let upgraded = stage.cluster.install_within(&stage.images, &more, "120s").await;
    let told = why_migrate_failed(stage).await;
    stage.upgrade(&json!({})).await?;
    ensure!(upgraded.is_err(), "the upgrade counts as done");
    let told = told?;
    say(format!("    {}", told.trim().lines().last().unwrap_or_default()));
    ensure!(told.contains("198.18.0.1:1"), "the job says: {told}");
    ensure!(!told.contains("secret-of-the-test"), "the job tells the password: {told}");
    Ok(())
}

async fn why_migrate_failed(stage: &Stage) -> Result<String> {
    let job = kube::get(&stage.cluster, "job", "migrate").await?;
    let failed = job["status"]["conditions"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one: &Value| one["type"] == "Failed"));
    ensure!(failed, "the job's status is {}", job["status"]);
    // The others never started, and kubectl fails at who has no log.
    kubectl(&stage.cluster, &["logs", "job/migrate", "--container=wait", "--tail=20"]).await
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
