//! Helm, the programs of Kubernetes, and the image of a node.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::into::{into_state, into_state_stamped, log};
use crate::checkout;
use crate::program::Program;

/// The pinned Helm.
const HELM: &str = "4.2.4";
/// The image with the name server and the process that holds a pod together.
const NODE_IMAGE: &str = "localhost/node:1";

/// The Helm to run.
pub(crate) fn helm_program() -> PathBuf {
    checkout::state().join("tools/helm/helm")
}

/// The package of etcd.
const ETCD: &str = "go.etcd.io/etcd/server/v3";
/// The folder of the API server and etcd, which tests of the chart need without the rest.
const API_SERVER: &str = "api-server";
/// The folder of the rest.
const NODE: &str = "kubernetes";

/// A program of Kubernetes, or etcd.
pub(crate) fn kubernetes_program(name: &str) -> PathBuf {
    let folder = if ["etcd", "kube-apiserver"].contains(&name) { API_SERVER } else { NODE };
    checkout::state().join(folder).join(name)
}

/// The image of a node: its name, and an archive that holds it.
pub(crate) fn node_image() -> (&'static str, PathBuf) {
    (NODE_IMAGE, checkout::state().join("node-image/node.tar"))
}

/// Helm, from its module.
pub(super) async fn helm() -> Result<()> {
    into_state_stamped("tools/helm", HELM, async |target| {
        Program::new("go")
            .args(["install", &format!("helm.sh/helm/v4/cmd/helm@v{HELM}")])
            .env("GOBIN", target)
            .env("CGO_ENABLED", "0")
            .with_whole_env()
            .run(&log("install-helm"))
            .await
    })
    .await
}

/// The API server and etcd.
pub(super) async fn api_server() -> Result<()> {
    let packages = ["k8s.io/kubernetes/cmd/kube-apiserver", ETCD].map(str::to_owned);
    programs(API_SERVER, &packages).await
}

/// The other programs of Kubernetes.
pub(super) async fn node() -> Result<()> {
    let names = ["kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"];
    let packages = names.map(|name| format!("k8s.io/kubernetes/cmd/{name}"));
    programs(NODE, &packages).await
}

/// Builds programs as `devstack/kubernetes/kube` pins them.
async fn programs(name: &str, packages: &[String]) -> Result<()> {
    let folder = checkout::root().join("devstack/kubernetes/kube");
    let files = ["go.mod", "go.sum", "tools.go"].map(|name| folder.join(name));
    into_state(name, &files, async |target| {
        let version = fs::read_to_string(&files[0])?
            .lines()
            .find_map(|line| {
                line.trim().strip_prefix("require k8s.io/kubernetes v").map(str::to_owned)
            })
            .context("devstack/kubernetes/kube/go.mod requires no k8s.io/kubernetes")?;
        let [major, minor] = [0, 1].map(|part| version.split('.').nth(part).unwrap_or_default());
        let set =
            |name: &str, value: &str| format!("-X k8s.io/component-base/version.{name}={value}");
        let versions = [
            set("gitVersion", &format!("v{version}")),
            set("gitMajor", major),
            set("gitMinor", minor),
        ];
        go_build(target, &format!("-s -w {}", versions.join(" ")))
            .args(packages)
            .dir(&folder)
            .run(&log(&format!("install-{name}")))
            .await?;
        // A program has the name of its folder.
        if packages.iter().any(|package| package == ETCD) {
            fs::rename(target.join("server"), target.join("etcd")).context("etcd is not there")?;
        }
        Ok(())
    })
    .await
}

/// The image of a node, as an archive.
pub(super) async fn make_node_image() -> Result<()> {
    let folder = checkout::root().join("devstack/kubernetes");
    let names = ["Containerfile", "dns/go.mod", "dns/go.sum", "dns/main.go", "dns/pause/main.go"];
    let files = names.map(|name| folder.join(name));
    into_state("node-image", &files, async |target| {
        let log = log("install-node-image");
        let programs = target.join("programs");
        go_build(&programs, "-s -w")
            .args([".", "./pause"])
            .dir(folder.join("dns"))
            .run(&log)
            .await?;
        let storage = target.join("storage");
        let buildah = || {
            Program::new("buildah")
                .args([
                    "--storage-driver=vfs".to_owned(),
                    format!("--root={}/root", storage.display()),
                ])
                .args([format!("--runroot={}/run", storage.display())])
        };
        buildah()
            .args(["build", "--isolation=chroot", "--tag", NODE_IMAGE, "--file"])
            .args([&files[0], &programs])
            .run(&log)
            .await?;
        let archive = format!("oci-archive:{}:{NODE_IMAGE}", target.join("node.tar").display());
        buildah().args(["push", NODE_IMAGE, &archive]).run(&log).await?;
        fs::remove_dir_all(&storage).context("buildah's storage stays")?;
        fs::remove_dir_all(&programs).context("the programs of the image stay")
    })
    .await
}

fn go_build(target: &Path, flags: &str) -> Program {
    Program::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o"])
        // With a slash: a folder, also for one program.
        .args([target.join("")])
        .env("CGO_ENABLED", "0")
        .with_whole_env()
}
