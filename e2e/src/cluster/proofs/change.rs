//! What is changed while the services run.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devstack::cluster::Images;
use devstack::console::step;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

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

/// The jobs by which the tables and the people come.
const JOBS: [&str; 2] = ["migrate", "seed-users"];

pub(super) async fn repeat(stage: &mut Stage) -> Result<()> {
    let before = accounts(stage).await?;
    let known = kube::list(&stage.cluster, "jobs").await?;
    stage.upgrade(&json!({})).await?;
    for name in JOBS {
        let job = kube::get(&stage.cluster, "job", name).await?;
        let is_new = known.iter().all(|known| known["metadata"]["uid"] != job["metadata"]["uid"]);
        ensure!(is_new && job["status"]["succeeded"] == 1, "{name} did not run again: {job}");
    }
    let after = accounts(stage).await?;
    ensure!(before == after, "the tables were\n{before}\nand are\n{after}");
    Ok(())
}

/// A kubelet looks at Secrets once a minute or two, and a service at its files every two seconds.
const TAKEN_UP: Duration = Duration::from_mins(4);
/// Which certificates there are.
const SECRETS: [&str; 4] =
    ["auth-connector-tls", "dex-connector-tls", "dex-admin-tls", "auth-connector-dex-tls"];
/// Who shows one to whoever connects: its pods, the Secret with it, the name in it, and where. The other two are shown
/// by whoever calls these: without them nobody could sign in.
const SERVERS: [(&str, &str, &str, u16); 2] = [
    ("auth-connector", "auth-connector-tls", "auth-connector", 5557),
    ("dex", "dex-admin-tls", "dex-admin", 5560),
];

/// All four certificates are replaced as docs/KUBERNETES.md says.
pub(super) async fn certificates(stage: &mut Stage) -> Result<()> {
    let stage = &*stage;
    let now = async || {
        let mut all = Vec::new();
        for name in SECRETS {
            all.push(file(stage, name, "tls.crt").await?);
        }
        anyhow::Ok(all)
    };
    servers_show_theirs(stage).await?;
    let before = now().await?;
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
        until_after(TAKEN_UP, "the servers take them up", async || servers_show_theirs(stage).await)
            .await
    })
    .await
}

/// A file of a Secret.
async fn file(stage: &Stage, secret: &str, name: &str) -> Result<Vec<u8>> {
    let secret = kube::get(&stage.cluster, "secret", secret).await?;
    let text = secret["data"][name].as_str().with_context(|| format!("a Secret has no {name}"))?;
    STANDARD.decode(text).with_context(|| format!("{name} is no base64"))
}

/// Fails unless each pod of each server shows the certificate that its Secret holds.
async fn servers_show_theirs(stage: &Stage) -> Result<()> {
    for (deployment, secret, name, port) in SERVERS {
        let wanted = CertificateDer::from_pem_slice(&file(stage, secret, "tls.crt").await?)?;
        let authority = file(stage, secret, "ca.crt").await?;
        let pods = kube::pods_of(&stage.cluster, deployment).await?;
        ensure!(pods.len() == 2, "{deployment} has {} pods", pods.len());
        for pod in pods {
            let pod = kube::get(&stage.cluster, "pod", &pod).await?;
            let address: IpAddr = pod["status"]["podIP"].as_str().context("no address")?.parse()?;
            let shown = shown((address, port), name, &authority).await?;
            ensure!(shown == wanted, "{} shows another one at {port}", kube::name(&pod));
        }
    }
    Ok(())
}

/// The certificate that a server shows, with which its name is proved. It shows its own before it asks for one.
async fn shown(
    address: (IpAddr, u16),
    name: &'static str,
    authority: &[u8],
) -> Result<CertificateDer<'static>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority) {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from(name)?, stream)
        .await
        .with_context(|| format!("{name} is not proved at {address:?}"))?;
    let (_, connection) = stream.get_ref();
    let shown = connection.peer_certificates().and_then(|chain| chain.first());
    shown.cloned().context("no certificate")
}
