//! The programs of Kubernetes, as parts: what each is told, and when it serves.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::access::{Access, NODE_NAME};
use super::addresses::{DNS_SERVICE, NODE, PODS, SERVICES};
use super::home::Home;
use super::network::{NAME, NAMESPACE};
use crate::install::{CNI, kubernetes_program, node_image};
use crate::part::{Part, Probe, probe};
use crate::program::Program;
use crate::{checkout, http};

/// kubectl as the administrator, from this machine.
pub(super) fn kubectl(access: &Access) -> Program {
    kubectl_by(access.kubeconfig("admin"))
}

/// kubectl as whoever a kubeconfig names.
pub(crate) fn kubectl_by(kubeconfig: PathBuf) -> Program {
    Program::new(kubernetes_program("kubectl"))
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECACHEDIR", cache())
}

/// Where kubectl and Helm keep what the API server told of itself.
pub(super) fn cache() -> PathBuf {
    checkout::state().join("cluster/kubectl-cache")
}

/// containerd's own client.
pub(super) fn ctr(home: &Home) -> Program {
    Program::new("ctr")
        .args(["--address".as_ref(), socket(home).as_os_str()])
        .args(["--namespace", "k8s.io"])
}

fn socket(home: &Home) -> PathBuf {
    home.join("containerd.sock")
}

/// Every program, in the order of their start.
pub(super) fn parts(home: &Home, state: &Path, access: &Access) -> Result<Vec<Part>> {
    let runs = || {
        probe({
            let ctr = ctr(home).args(["version"]);
            move || {
                let ctr = ctr.clone();
                async move { ctr.output().await.map(drop) }
            }
        })
    };
    let part = |name: &str, program: Program, ready: Probe| {
        Part::new(name, program.in_network(NAMESPACE), state, ready)
    };
    Ok(vec![
        part("etcd", etcd(&home.join("etcd"), ETCD), at_once()),
        part("containerd", containerd(home, state)?, runs()),
        part("kube-apiserver", api_server(access, ETCD), api_serves(access)),
        part("kube-controller-manager", controller_manager(home, access), at_once()),
        part("kube-scheduler", scheduler(access), at_once()),
        part("kubelet", kubelet(home, state, access)?, at_once()),
        part("kube-proxy", proxy(state, access)?, at_once()),
    ])
}

/// The ports of etcd in the cluster: its clients', its peers'.
const ETCD: [u16; 2] = [2379, 2380];

/// For what is waited for by what it does: a node that is ready, a name that is found.
pub(super) fn at_once() -> Probe {
    probe(|| async { Ok(()) })
}

/// etcd with its data in a folder, for clients and peers at these ports of the loopback address.
pub(super) fn etcd(data: &Path, [clients, peers]: [u16; 2]) -> Program {
    let [clients, peers] = [clients, peers].map(|port| format!("http://127.0.0.1:{port}"));
    Program::new(kubernetes_program("etcd"))
        .args(["--name=node".to_owned(), format!("--data-dir={}", data.display())])
        .args([
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
        ])
        .args([format!("--listen-peer-urls={peers}"), format!("--initial-cluster=node={peers}")])
        // It goes with the cluster: a crash of the machine may cost it.
        .args([format!("--initial-advertise-peer-urls={peers}").as_str(), "--unsafe-no-fsync"])
}

/// The API server, with that etcd.
pub(super) fn api_server(access: &Access, [etcd, _]: [u16; 2]) -> Program {
    let authority = &access.authority;
    let files = [
        ("tls-cert-file", &authority.server.cert),
        ("tls-private-key-file", &authority.server.key),
        ("client-ca-file", &authority.ca),
        ("kubelet-client-certificate", &authority.client.cert),
        ("kubelet-client-key", &authority.client.key),
        ("token-auth-file", &access.tokens),
        ("service-account-key-file", &access.verifying_key),
        ("service-account-signing-key-file", &access.signing_key),
    ];
    let (address, port) = (access.address.ip(), access.address.port());
    Program::new(kubernetes_program("kube-apiserver"))
        .args(files.map(|(option, file)| format!("--{option}={}", file.display())))
        .args([
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            format!("--bind-address={address}"),
            format!("--advertise-address={address}"),
            format!("--secure-port={port}"),
            format!("--service-cluster-ip-range={SERVICES}"),
        ])
        .args(["--service-account-issuer=https://kubernetes.default.svc"])
        .args(["--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"])
        .args(["--kubelet-preferred-address-types=InternalIP"])
}

/// Succeeds once the API server serves; it tells that to anybody.
pub(super) fn api_serves(access: &Access) -> Probe {
    let (authority, url) =
        (access.authority.ca.clone(), format!("https://{}/readyz", access.address));
    probe(move || {
        let (authority, url) = (authority.clone(), url.clone());
        async move { http::answers_by(&authority, &url).await }
    })
}

fn controller_manager(home: &Home, access: &Access) -> Program {
    alone("kube-controller-manager", access).args(["--use-service-account-credentials"]).args([
        format!("--service-account-private-key-file={}", access.signing_key.display()),
        format!("--root-ca-file={}", access.authority.ca.display()),
        format!("--flex-volume-plugin-dir={}", home.join("volume-plugins").display()),
    ])
}

fn scheduler(access: &Access) -> Program {
    alone("kube-scheduler", access)
}

/// A program that has no twin and is asked by nobody.
fn alone(name: &str, access: &Access) -> Program {
    Program::new(kubernetes_program(name))
        .args([format!("--kubeconfig={}", access.kubeconfig(name).display())])
        .args(["--leader-elect=false", "--bind-address=127.0.0.1", "--authentication-skip-lookup"])
}

fn containerd(home: &Home, state: &Path) -> Result<Program> {
    let networks = state.join("networks");
    fs::create_dir_all(&networks).context("containerd has no networks")?;
    let network = json!({"cniVersion": "0.4.0", "name": NAME, "plugins": [{
        // Each pod at a link of its own: what is between pods is routed, and so translated for Services.
        "type": "ptp",
        "ipam": {
            "type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": home.join("addresses"),
        },
    }]});
    fs::write(networks.join("cluster.conflist"), network.to_string())
        .context("containerd has no network")?;
    let config = state.join("containerd.toml");
    let text = format!(
        r#"version = 2
root = "{root}"
state = "{run}"
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{opt}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  # Without CAP_SYS_RESOURCE a container cannot be made less likely to be killed than containerd.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  Root = "{runc}"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{CNI}"
  conf_dir = "{networks}"
"#,
        image = node_image().0,
        opt = home.join("containerd-opt").display(),
        root = home.join("containerd").display(),
        run = home.join("containerd-run").display(),
        runc = home.join("runc").display(),
        socket = socket(home).display(),
        networks = networks.display(),
    );
    fs::write(&config, text).context("containerd has no configuration")?;
    Ok(Program::new("containerd").args(["--config".as_ref(), config.as_os_str()]))
}

fn kubelet(home: &Home, state: &Path, access: &Access) -> Result<Program> {
    let resolver = state.join("resolv.conf");
    // Names outside of the cluster lead nowhere: nothing does.
    fs::write(&resolver, format!("nameserver {NODE}\n"))
        .context("the kubelet has no resolv.conf")?;
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": NODE,
        "containerRuntimeEndpoint": format!("unix://{}", socket(home).display()),
        "podLogsDir": home.join("pod-logs"),
        "volumePluginDir": home.join("volume-plugins"),
        "resolvConf": resolver,
        "clusterDNS": [DNS_SERVICE], "clusterDomain": "cluster.local",
        "authentication": {
            "anonymous": {"enabled": false}, "webhook": {"enabled": false},
            "x509": {"clientCAFile": access.authority.ca},
        },
        // The API server alone has a certificate to show.
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupRoot": format!("/{NAME}"), "cgroupDriver": "cgroupfs",
        "failCgroupV1": false, "failSwapOn": false, "oomScoreAdj": 0,
        // The disk is the developer's: no pod is evicted because it is nearly full, and no image removed.
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        "syncFrequency": "10s", "nodeStatusUpdateFrequency": "4s",
    });
    let file = configuration(state, "kubelet", &config)?;
    Ok(Program::new(kubernetes_program("kubelet"))
        .args([format!("--config={}", file.display())])
        .args([format!("--kubeconfig={}", access.kubeconfig("kubelet").display())])
        .args([format!("--root-dir={}", home.join("kubelet").display())])
        .args([format!("--cert-dir={}", home.join("kubelet-pki").display())])
        .args([format!("--hostname-override={NODE_NAME}"), format!("--node-ip={NODE}")]))
}

fn proxy(state: &Path, access: &Access) -> Result<Program> {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "nftables", "clusterCIDR": PODS, "hostnameOverride": NODE_NAME,
        "clientConnection": {"kubeconfig": access.kubeconfig("kube-proxy")},
        // Of the whole machine, and none of ours.
        "conntrack": {
            "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
        },
        "healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
    });
    let file = configuration(state, "kube-proxy", &config)?;
    Ok(Program::new(kubernetes_program("kube-proxy"))
        .args([format!("--config={}", file.display())]))
}

fn configuration(state: &Path, name: &str, config: &Value) -> Result<PathBuf> {
    let file = state.join(format!("{name}.json"));
    fs::write(&file, config.to_string()).with_context(|| format!("{name} has no configuration"))?;
    Ok(file)
}
