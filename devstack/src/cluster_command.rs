//! `./dev cluster`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tokio::time::{Instant, interval, sleep};

use crate::cluster::{
    Cluster, Door, Entry, Home, Images, Memory, NEEDS, kubectl_by, memory, obstacle,
};
use crate::console::{say, step};
use crate::endpoints::Endpoints;
use crate::ports::{Ports, require_free};
use crate::signals::terminated;
use crate::stack::demo_users;
use crate::{background, checkout, install};

const TICK: Duration = Duration::from_millis(200);
/// Longer than it takes to kill everything and to remove it.
const DOWN_LIMIT: Duration = Duration::from_secs(90);

/// What to do with the cluster.
#[derive(Subcommand, Clone, Copy, Debug)]
pub(crate) enum ClusterCommand {
    /// Start a cluster, install the chart, and leave both running
    Up {
        /// Do not install the chart
        #[arg(long)]
        bare: bool,
        /// Run in the background: set by `up`
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Stop it, and remove everything of it from this machine
    Down,
    /// Show its node, its pods and its memory
    Status,
    /// The same as `./dev test cluster`
    Test,
}

/// Starts the cluster, or tells where the running one is.
pub(crate) async fn up(bare: bool, background: bool) -> Result<ExitCode> {
    if background {
        return Box::pin(supervise(bare)).await;
    }
    if let Some(obstacle) = obstacle() {
        bail!("no cluster can run here: {obstacle}");
    }
    // Or one that was killed would look as if it were ready.
    if Home::take()?.is_some() {
        forget()?;
        let args = ["cluster", "up", "--background"];
        let args: Vec<&str> = args.into_iter().chain(bare.then_some("--bare")).collect();
        return background::start(&args, "cluster", || kubeconfig().exists()).await;
    }
    let (owner, _) = running().context("another cluster is stopping on this machine")?;
    if owner != checkout::root() {
        bail!("a cluster of {} runs on this machine", owner.display());
    }
    if !kubeconfig().exists() {
        bail!("the cluster is still starting: .dev/log/cluster.log tells how far it is");
    }
    tell()?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the cluster until a signal comes.
async fn supervise(bare: bool) -> Result<ExitCode> {
    // One for the whole run: a signal that came between two would be lost.
    let mut stop = std::pin::pin!(terminated());
    forget()?;
    let (cluster, doors) = tokio::select! {
        started = start_up(bare) => started?,
        _ = &mut stop => return Ok(ExitCode::from(130)),
    };
    if !bare {
        cluster.endpoints()?.write(&endpoints())?;
    }
    fs::copy(cluster.kubeconfig(), kubeconfig()).context("the kubeconfig cannot be copied")?;
    tell()?;
    let mut ticks = interval(TICK);
    let ended = loop {
        tokio::select! {
            _ = &mut stop => break Ok(()),
            _ = ticks.tick() => if let Err(error) = cluster.require_alive() { break Err(error) },
        }
    };
    forget()?;
    drop(doors);
    say("stopping");
    drop(cluster);
    ended?;
    say("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn start_up(bare: bool) -> Result<(Cluster, Vec<Entry>)> {
    let ports = Ports::project(1)?;
    if !bare {
        require_free("DEV_PORT_DEX", ports.dex)?;
        require_free("DEV_PORT_CHAT", ports.chat.first().context("the chat API has a port")?.0)?;
        require_free("DEV_PORT_ACCOUNTS", ports.accounts)?;
    }
    install::ensure(&NEEDS).await?;
    let start = Instant::now();
    let images = async { if bare { Ok(None) } else { Images::build("dev").await.map(Some) } };
    let images = step("build the images", images).await?;
    let boot = Cluster::boot(demo_users(), &ports, |line| say(line));
    let cluster = step("start a cluster", boot).await?;
    let mut doors = Vec::new();
    if let Some(images) = images {
        step("import the images", cluster.import_all(&images)).await?;
        step("install the chart", cluster.install(&images, &json!({}))).await?;
        for door in [Door::Dex, Door::Chat, Door::Accounts] {
            doors.push(cluster.open(door).await?);
        }
    }
    say(format!("ready in {:.1} s", start.elapsed().as_secs_f32()));
    Ok((cluster, doors))
}

/// Stops the cluster of whoever runs it, and removes what a killed one left.
pub(crate) async fn down() -> Result<ExitCode> {
    let deadline = Instant::now() + DOWN_LIMIT;
    let mut told = false;
    let home = loop {
        if let Some(home) = Home::take()? {
            break home;
        }
        if let Some((owner, pid)) = running().filter(|_| !told) {
            say(format!("stopping the cluster of {}", owner.display()));
            // It may have ended this instant.
            let _ = kill(pid, Signal::SIGTERM);
            told = true;
        }
        if Instant::now() >= deadline {
            bail!("the cluster did not stop within {} s", DOWN_LIMIT.as_secs());
        }
        sleep(TICK).await;
    };
    // Not before: until it has stopped they tell where it is.
    forget()?;
    drop(home);
    say("no cluster runs on this machine");
    Ok(ExitCode::SUCCESS)
}

/// The checkout and the process of the cluster that runs.
fn running() -> Option<(PathBuf, Pid)> {
    let owner = Home::owner()?;
    Some((owner.checkout, owner.pid?))
}

/// Stops the cluster if it is this checkout's.
pub(crate) async fn down_own() -> Result<()> {
    match Home::owner() {
        Some(owner) if owner.checkout == checkout::root() => down().await.map(drop),
        _ => Ok(()),
    }
}

/// Shows what there is; fails when there is none.
pub(crate) async fn status() -> Result<ExitCode> {
    let Some((owner, pid)) = running() else {
        say("not running: start it with ./dev cluster up");
        return Ok(ExitCode::FAILURE);
    };
    say(format!("a cluster of {}, process {pid}", owner.display()));
    if !kubeconfig().exists() {
        say("it is not ready, or not of this checkout");
        return Ok(ExitCode::FAILURE);
    }
    let look = ["get", "nodes,pods", "--all-namespaces", "--output=wide"];
    say(kubectl_by(kubeconfig()).args(look).output().await?);
    let Memory { node, pods, beside } = memory(pid.as_raw());
    say(format!("memory: node {node} MiB, pods {pods} MiB, servers beside it {beside} MiB"));
    Ok(ExitCode::SUCCESS)
}

fn tell() -> Result<()> {
    say("");
    if endpoints().exists() {
        let endpoints = Endpoints::read(&endpoints())?;
        say(format!("sign in        {}", endpoints.sign_in_url));
        say(format!("chat API       {}", endpoints.chat_api));
        for (what, address) in [("accounts", &endpoints.accounts), ("mail inbox", &endpoints.mail)]
        {
            if let Some(address) = address {
                say(format!("{what:<14} {address}"));
            }
        }
        say("everything, passwords too, is in .dev/cluster.json; try ./dev demo --cluster");
    }
    let kubectl = install::kubernetes_program("kubectl");
    say(format!("KUBECONFIG={} {} get pods -A", kubeconfig().display(), kubectl.display()));
    say("");
    Ok(())
}

/// Where everything is, while the chart is installed.
pub(crate) fn endpoints() -> PathBuf {
    checkout::state().join("cluster.json")
}

/// The administrator's kubeconfig, while the cluster is ready.
fn kubeconfig() -> PathBuf {
    checkout::state().join("cluster.kubeconfig")
}

fn forget() -> Result<()> {
    for file in [endpoints(), kubeconfig()] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} stays", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
