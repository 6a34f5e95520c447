//! What is changed while the services run.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::cluster::Images;
use devstack::console::step;
use serde_json::json;

use crate::cluster::kube::{self, kubectl};
use crate::cluster::load::under_load;
use crate::cluster::stage::Stage;
use crate::wait::until_after;

/// The same programs under another tag: every pod is replaced.
pub(super) async fn upgrade(stage: &mut Stage) -> Result<()> {
    let images = step("build the images again", Images::build("second")).await?;
    stage.cluster.import_all(&images).await?;
    stage.images = images;
    let stage = &*stage;
    under_load(stage, None, async {
        stage.upgrade(&json!({})).await?;
        for deployment in ["auth-connector", "dex", "chat-api"] {
            kube::settled(&stage.cluster, deployment).await?;
        }
        Ok(())
    })
    .await?;
    for pod in kube::list(&stage.cluster, "pods").await? {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let is_running = pod["status"]["phase"] == "Running";
        ensure!(!is_running || image.ends_with(":second"), "{} runs {image}", kube::name(&pod));
    }
    Ok(())
}

/// Everything in the accounts database but what tells of the run itself.
async fn accounts(stage: &Stage) -> Result<String> {
    devstack::postgres::fingerprint(&stage.scene.endpoints.postgres).await
}

pub(super) async fn repeat(stage: &mut Stage) -> Result<()> {
    let before = accounts(stage).await?;
    stage.upgrade(&json!({})).await?;
    let after = accounts(stage).await?;
    ensure!(before == after, "the tables were\n{before}\nand are\n{after}");
    Ok(())
}

/// When the certificates end that the pods of auth-connector serve with now, as they tell themselves.
async fn ends(stage: &Stage) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for pod in kube::pods_of(&stage.cluster, "auth-connector").await? {
        let pod = kube::get(&stage.cluster, "pod", &pod).await?;
        let address = pod["status"]["podIP"].as_str().context("a pod has an address")?;
        let metrics = stage.scene.http.get(format!("http://{address}:9101/metrics")).send().await?;
        let metrics = metrics.error_for_status()?.text().await?;
        let line = metrics.lines().find(|line| line.starts_with("tls_certificate_expires_seconds"));
        found.push(line.context("it tells no end of its certificate")?.to_owned());
    }
    Ok(found)
}

/// A kubelet looks at Secrets once a minute or two, and a service at its files every two seconds.
const TAKEN_UP: Duration = Duration::from_mins(4);

/// All four certificates are replaced as docs/KUBERNETES.md says.
pub(super) async fn certificates(stage: &mut Stage) -> Result<()> {
    const SECRETS: [&str; 4] =
        ["auth-connector-tls", "dex-connector-tls", "dex-admin-tls", "auth-connector-dex-tls"];
    let stage = &*stage;
    let now = async || {
        let mut all = Vec::new();
        for name in SECRETS {
            let secret = kube::get(&stage.cluster, "secret", name).await?;
            all.push(secret["data"]["tls.crt"].as_str().context("tls.crt")?.to_owned());
        }
        anyhow::Ok(all)
    };
    let (before, ended) = (now().await?, ends(stage).await?);
    ensure!(ended.len() == 2, "{} pods have a certificate", ended.len());
    under_load(stage, None, async {
        let args = ["annotate", "secret"].into_iter().chain(SECRETS).chain(["chatapp/renew=now"]);
        kubectl(&stage.cluster, &args.collect::<Vec<_>>()).await?;
        let args = ["create", "job", "renew", "--from=cronjob/certificates"];
        kubectl(&stage.cluster, &args).await?;
        let args = ["wait", "job/renew", "--for=condition=Complete", "--timeout=120s"];
        kubectl(&stage.cluster, &args).await?;
        let after = now().await?;
        let same = before.iter().zip(&after).filter(|(before, after)| before == after).count();
        ensure!(same == 0, "{same} of them are the same");
        until_after(TAKEN_UP, "the services take them up", async || {
            let at = ends(stage).await?;
            let old = at.iter().filter(|end| ended.contains(*end)).count();
            ensure!(old == 0, "{old} pods have the old one");
            Ok(())
        })
        .await
    })
    .await
}
