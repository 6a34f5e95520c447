//! A cluster with the chart, and the people who speak there.

use std::time::Duration;

use anyhow::{Context as _, Result};
use devstack::cluster::{Cluster, Door, Entry, Images};
use devstack::console::{say, step};
use devstack::ports::Ports;
use devstack::stack::demo_users;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::faults::scene::{Scene, person};

/// How many people speak, and as many sign in meanwhile.
pub const PEOPLE: usize = 8;

/// A running cluster with people.
pub struct Stage {
    /// The people, and the log and the archive that they are judged by.
    pub scene: Scene,
    /// The way to Dex; taken away where another is tried.
    pub dex: Option<Entry>,
    /// The way to the chat API.
    pub chat: Option<Entry>,
    /// The way to the accounts pages.
    pub accounts: Option<Entry>,
    /// The images that are installed.
    pub images: Images,
    /// How long it took from built programs to an installed chart, cluster included.
    pub installed_in: Duration,
    /// Whether what is promised of time is demanded, too.
    pub check: bool,
    // Last: whoever speaks there goes first.
    /// The cluster.
    pub cluster: Cluster,
}

impl Stage {
    /// Starts a cluster, installs the chart and signs people in.
    pub async fn open(seed: u64, check: bool) -> Result<Self> {
        let start = Instant::now();
        let images = step("build the images", Images::build("first")).await?;
        let speakers = (0..2 * PEOPLE).map(person);
        let people = demo_users().into_iter().chain(speakers).collect();
        let ports = Ports::any(1)?;
        // On the heap: starting everything is a large future.
        let boot = Box::pin(Cluster::boot(people, &ports, |line| say(line)));
        let cluster = step("start a cluster", boot).await?;
        step("import the images", cluster.import_all(&images)).await?;
        step("install the chart", cluster.install(&images, &json!({}))).await?;
        let installed_in = start.elapsed();
        let dex = Some(cluster.open(Door::Dex).await?);
        let chat = Some(cluster.open(Door::Chat).await?);
        let accounts = Some(cluster.open(Door::Accounts).await?);
        let opening = Scene::open(cluster.endpoints()?, PEOPLE, seed);
        let scene = step("sign people in", opening).await?;
        Ok(Self { scene, dex, chat, accounts, images, installed_in, check, cluster })
    }

    /// Upgrades the chart with other values.
    pub async fn upgrade(&self, more: &Value) -> Result<()> {
        self.cluster.install(&self.images, more).await.context("the upgrade fails")
    }

    /// Has everything be as it was at the start, whatever a proof left.
    pub async fn restore(&mut self) -> Result<()> {
        if self.dex.is_none() {
            self.dex = Some(self.cluster.open(Door::Dex).await?);
        }
        self.upgrade(&json!({})).await?;
        self.accounts = None;
        self.accounts = Some(self.cluster.open(Door::Accounts).await?);
        Ok(())
    }
}
