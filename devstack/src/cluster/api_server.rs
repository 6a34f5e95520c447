//! The API server alone.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::access::Access;
use super::programs;
use crate::part::Part;
use crate::ports;

/// An API server with its etcd, and nobody who does what it is told: it judges objects. It listens on this machine's
/// loopback address, needs no root, and ends when it is dropped.
pub(crate) struct ApiServer {
    #[expect(dead_code, reason = "dropping it ends them")]
    parts: [Part; 2],
    kubeconfig: PathBuf,
}

impl ApiServer {
    /// Starts it, with everything that it writes in a folder.
    pub(crate) async fn start(state: &Path) -> Result<Self> {
        let access = Access::create(
            &state.join("pki"),
            SocketAddrV4::new(Ipv4Addr::LOCALHOST, ports::free()?),
        )?;
        let etcd = [ports::free()?, ports::free()?];
        let api_server = programs::api_server(&access, etcd)
            // Nobody is told where it is, and nobody makes the accounts that pods would need to be admitted.
            .args(["--endpoint-reconciler-type=none"])
            .args(["--disable-admission-plugins=ServiceAccount"]);
        let parts = [
            Part::new(
                "etcd",
                programs::etcd(&state.join("etcd"), etcd),
                state,
                programs::at_once(),
            ),
            Part::new("kube-apiserver", api_server, state, programs::api_serves(&access)),
        ];
        for part in &parts {
            part.start().await?;
        }
        Ok(Self { parts, kubeconfig: access.kubeconfig("admin") })
    }

    /// The kubeconfig of its administrator.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}
