//! Where a demo takes place, and who is there.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use devstack::checkout;
use devstack::endpoints::{DemoUser, Endpoints};

use super::show::step;
use crate::oidc::{App, LOCAL_ACCOUNTS, Tokens};

/// Where a demo takes place.
#[derive(Debug, Args)]
pub(super) struct DemoPlace {
    /// Where the stack is: what `./dev up` wrote.
    #[arg(default_value_os_t = checkout::state().join("endpoints.json"))]
    endpoints: PathBuf,

    /// In the cluster of `./dev cluster up` instead.
    #[arg(long, conflicts_with = "endpoints")]
    cluster: bool,
}

impl DemoPlace {
    pub(super) fn endpoints(&self) -> Result<Endpoints> {
        if self.cluster {
            let cluster = checkout::state().join("cluster.json");
            return Endpoints::read(&cluster).context("./dev cluster up first");
        }
        Endpoints::read(&self.endpoints)
    }
}

/// The first people of a stack, as many as are wanted.
pub(super) fn people<const N: usize>(endpoints: &Endpoints) -> Result<&[DemoUser; N]> {
    endpoints.demo_users.first_chunk().with_context(|| {
        format!(
            "this demo needs {N} people with Local Accounts: ./dev up without --no-local-accounts"
        )
    })
}

/// Signs somebody in, as a step.
pub(super) async fn sign_in(app: &App, person: &DemoUser) -> Result<Tokens> {
    let DemoUser { login, password } = person;
    let what = format!("{login} signs in on Dex's page, {LOCAL_ACCOUNTS} (code + PKCE)");
    step(&what, app.sign_in(LOCAL_ACCOUNTS, login, password)).await
}
