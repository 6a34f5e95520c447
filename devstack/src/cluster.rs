//! A real Kubernetes cluster of one node on this machine: for tests, and to look at what the chart makes.
//!
//! etcd, API server, controller manager, scheduler, kubelet, kube-proxy, containerd and a name server, each a
//! [`Part`], in a network namespace of its own (ADR 15). PostgreSQL, Kafka, MongoDB and a mail sink run beside it on this machine,
//! as servers that a platform has already. There is one cluster at a time on a machine; everything of it goes when it is
//! dropped, and what a killed one left goes when the next is started or `./dev cluster down` is called.

mod access;
mod addresses;
mod api_server;
mod chart;
mod entry;
mod home;
mod images;
mod machine;
mod network;
mod programs;
mod stores;
mod tool;

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::endpoints::{DemoUser, Endpoints};
use crate::part::{Part, Probe, State};
use crate::ports::Ports;
use crate::program::Program;
use crate::secrets::write_private;
use crate::stack::User;
use crate::{checkout, install, name};
use access::Access;
use chart::Site;
use stores::Stores;

pub(crate) use api_server::ApiServer;
pub use entry::Entry;
pub(crate) use home::Home;
pub use images::Images;
pub(crate) use machine::memory;
pub use machine::{Memory, Use, obstacle, settings};
pub(crate) use programs::kubectl_by;

/// A Service of the chart and the port that this machine reaches it at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Dex, where people sign in.
    Dex,
    /// The chat API.
    Chat,
    /// The accounts pages.
    Accounts,
}

impl Door {
    fn service(self) -> (&'static str, u16) {
        match self {
            Self::Dex => ("dex", 5556),
            Self::Chat => ("chat-api", 8080),
            Self::Accounts => ("accounts", 5559),
        }
    }
}

/// A running cluster.
pub struct Cluster {
    parts: Vec<Part>,
    stores: Stores,
    access: Access,
    site: Site,
    state: PathBuf,
    // Last: what lies there goes when everything in it has ended.
    home: Home,
}

/// What has to be installed for a cluster with the chart.
pub const NEEDS: [install::Need; 8] = [
    install::Need::Postgres,
    install::Need::Kafka,
    install::Need::MongoDb,
    install::Need::Mail,
    install::Need::Images,
    install::Need::ApiServer,
    install::Need::Kubernetes,
    install::Need::Helm,
];

/// Removes what a killed cluster left on this machine; fails while one runs.
pub fn clean() -> Result<()> {
    Home::take()?.map(drop).context(RUNS_ALREADY)
}

const RUNS_ALREADY: &str =
    "a cluster runs on this machine already: stop it with ./dev cluster down";

impl Cluster {
    /// Starts a cluster with nothing in it but its name server, and the servers beside it. These people will have a
    /// Local Account; of the ports, those of Dex, the chat API, the accounts pages and the app count.
    pub async fn boot(people: Vec<User>, ports: &Ports, report: impl Fn(&str)) -> Result<Self> {
        if let Some(obstacle) = obstacle() {
            bail!("no cluster can run here: {obstacle}");
        }
        let home = Home::take()?.context(RUNS_ALREADY)?;
        let state = checkout::state().join("cluster");
        match fs::remove_dir_all(&state) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} stays", state.display()));
            }
            _ => {}
        }
        let access = Access::create(&state.join("pki"), SocketAddrV4::new(addresses::NODE, 6443))?;
        ensure!(!home::kubelet_runs(), "a kubelet runs on this machine: it is a node already");
        network::make()?;
        machine::make_groups();
        let node = programs::parts(&home, &state, &access)?;
        let start = async {
            for part in &node {
                part.start().await?;
                report(&format!("{} started", part.name()));
            }
            anyhow::Ok(())
        };
        let beside = home.join("stores");
        // On the heap: starting everything is a large future.
        let (stores, ()) = tokio::try_join!(Box::pin(Stores::start(&beside)), Box::pin(start))?;
        let site = Site {
            dex: ports.dex,
            chat: ports.chat.first().context("the chat API has a port")?.0,
            accounts: ports.accounts,
            web: ports.web,
            users: people,
            email_user: DemoUser {
                login: "admin@example.com".into(),
                password: name::random_token(24),
            },
        };
        let cluster = Self { parts: node, stores, access, site, state, home };
        cluster.import(&install::node_image().1).await?;
        let name_server = checkout::root().join("devstack/kubernetes/dns.yaml");
        cluster.apply_file(&name_server).await?;
        cluster.rolled_out("kube-system", "deployment/coredns").await?;
        report("the name server answers");
        let ground = chart::ground(&cluster.stores, &cluster.site.email_user)?;
        cluster.apply(&ground).await?;
        Ok(cluster)
    }

    /// Puts an image from an archive onto the node.
    pub async fn import(&self, archive: &Path) -> Result<()> {
        programs::ctr(&self.home)
            .args(["images", "import"])
            .args([archive])
            .output()
            .await
            .map(drop)
            .with_context(|| format!("{} is not imported", archive.display()))
    }

    /// Puts the images of the chart onto the node.
    pub async fn import_all(&self, images: &Images) -> Result<()> {
        for archive in images.archives() {
            self.import(archive).await?;
        }
        Ok(())
    }

    /// Calls kubectl as the administrator, and gives what it says.
    pub async fn kubectl<I>(&self, args: I) -> Result<String>
    where
        I: IntoIterator<Item: AsRef<std::ffi::OsStr>>,
    {
        self.kubectl_program().args(args).output().await
    }

    /// Has kubectl go on with something until that is dropped, such as a port-forward.
    pub async fn keep_kubectl<I>(&self, name: &str, args: I, ready: Probe) -> Result<Part>
    where
        I: IntoIterator<Item: AsRef<std::ffi::OsStr>>,
    {
        let part = Part::new(name, self.kubectl_program().args(args), &self.state, ready);
        part.start().await?;
        Ok(part)
    }

    fn kubectl_program(&self) -> Program {
        programs::kubectl(&self.access)
    }

    /// Applies an object, or a list of them.
    pub async fn apply(&self, object: &Value) -> Result<()> {
        let file = self.state.join("applied.json");
        write_private(&file, &object.to_string())?;
        self.apply_file(&file).await
    }

    async fn apply_file(&self, file: &Path) -> Result<()> {
        self.kubectl_program().args(["apply", "--filename"]).args([file]).output().await.map(drop)
    }

    async fn rolled_out(&self, namespace: &str, what: &str) -> Result<()> {
        let args = ["--namespace", namespace, "rollout", "status", what, "--timeout=120s"];
        self.kubectl(args).await.map(drop)
    }

    /// Calls Helm for the namespace of the chart.
    pub async fn helm<I>(&self, args: I) -> Result<String>
    where
        I: IntoIterator<Item: AsRef<std::ffi::OsStr>>,
    {
        let home = self.state.join("helm");
        Program::new(install::helm_program())
            .env("KUBECONFIG", self.access.kubeconfig("admin"))
            .env("KUBECACHEDIR", programs::cache())
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .args(["--namespace", chart::NAME])
            .args(args)
            .output()
            .await
    }

    /// Installs the chart, or upgrades it, and waits until all of it is ready. What is given comes on top of the values
    /// of this machine.
    pub async fn install(&self, images: &Images, more: &Value) -> Result<()> {
        let Err(error) = self.install_within(images, more, "5m").await else { return Ok(()) };
        let told = self.record("install").await?;
        Err(error.context(format!("pods, events and logs are in {}", told.display())))
    }

    /// The same with the time that Helm may take, in its own words; for what may fail.
    pub async fn install_within(&self, images: &Images, more: &Value, limit: &str) -> Result<()> {
        let files = [("values", self.site.values(images.tag())), ("more-values", more.clone())];
        let mut args: Vec<String> = ["upgrade", "--install", chart::NAME].map(str::to_owned).into();
        args.push(checkout::root().join("helm/chatapp").display().to_string());
        for (name, values) in files {
            let file = self.state.join(format!("{name}.json"));
            write_private(&file, &values.to_string())?;
            args.push(format!("--values={}", file.display()));
        }
        args.extend(["--wait".into(), "--wait-for-jobs".into(), format!("--timeout={limit}")]);
        self.helm(args).await.map(drop).context("the chart is not installed")
    }

    /// Kills the processes of a container, as a crash would. Its id is as the API server has it.
    pub async fn kill_container(&self, id: &str) -> Result<()> {
        let id = id.strip_prefix("containerd://").context("containerd runs the containers")?;
        let kill = ["tasks", "kill", "--all", "--signal=SIGKILL", id];
        programs::ctr(&self.home).args(kill).output().await.map(drop)
    }

    /// Writes down what pods, events and logs tell of the chart, for who looks for the cause of a failure after the
    /// cluster has gone; gives the file.
    pub async fn record(&self, name: &str) -> Result<PathBuf> {
        let looks: [&[&str]; 4] = [
            &["get", "pods,jobs,deployments", "--output=wide"],
            &["get", "events", "--sort-by=.lastTimestamp"],
            &["describe", "pods"],
            &[
                "logs",
                "--selector=app.kubernetes.io/instance=chatapp",
                "--all-containers",
                "--prefix",
                "--tail=200",
                "--max-log-requests=50",
                "--ignore-errors",
            ],
        ];
        let mut told = Vec::new();
        for look in looks {
            let args = ["--namespace", chart::NAME].into_iter().chain(look.iter().copied());
            // What cannot be told any more is told as such: the rest is wanted all the same.
            let answer = self.kubectl(args).await.unwrap_or_else(|error| format!("{error:#}"));
            told.push(format!("── kubectl {}\n{answer}\n", look.join(" ")));
        }
        let file = checkout::state().join("log").join(format!("cluster-{name}.txt"));
        write_private(&file, &told.concat())?;
        Ok(file)
    }

    /// The memory of everything.
    #[must_use]
    pub fn memory(&self) -> Memory {
        memory(std::process::id().cast_signed())
    }

    /// What each program in pods uses, by its name.
    #[must_use]
    pub fn used(&self) -> BTreeMap<String, Use> {
        machine::used()
    }

    /// The address of a Service, as this machine reaches it.
    pub async fn service(&self, name: &str, port: u16) -> Result<SocketAddrV4> {
        let namespace = ["--namespace", chart::NAME];
        let address = self
            .kubectl(namespace.into_iter().chain([
                "get",
                "service",
                name,
                "-o",
                "jsonpath={.spec.clusterIP}",
            ]))
            .await?;
        let address: Ipv4Addr =
            address.trim().parse().with_context(|| format!("the Service {name} has no address"))?;
        Ok(SocketAddrV4::new(address, port))
    }

    /// Opens a Service of the chart at the port that its endpoint names.
    pub async fn open(&self, door: Door) -> Result<Entry> {
        let (service, port) = door.service();
        let own = match door {
            Door::Dex => self.site.dex,
            Door::Chat => self.site.chat,
            Door::Accounts => self.site.accounts,
        };
        Entry::open(own, self.service(service, port).await?).await
    }

    /// Where everything is, once the doors are open.
    pub fn endpoints(&self) -> Result<Endpoints> {
        self.site.endpoints(&self.stores)
    }

    /// The kubeconfig of the administrator.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.access.kubeconfig("admin")
    }

    /// Fails when a program of the cluster has ended, with its last lines.
    pub fn require_alive(&self) -> Result<()> {
        for part in &self.parts {
            let died = matches!(part.state(), State::Died(_));
            ensure!(!died, "{} has ended:\n{}", part.name(), part.last_lines(20));
        }
        Ok(())
    }
}
