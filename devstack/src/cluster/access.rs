//! Who may do what at the API server: certificates, tokens, and a kubeconfig for everybody.

use std::fs;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rcgen::KeyPair;
use serde_json::json;

use super::addresses::API_SERVICE;
use crate::name;
use crate::pki::{self, Authority};
use crate::secrets::write_private;

/// The name of the node.
pub(super) const NODE_NAME: &str = "node";

/// Who speaks to the API server: file, user, groups.
const USERS: [(&str, &str, &str); 5] = [
    ("admin", "admin", "system:masters"),
    ("kubelet", "system:node:node", "system:nodes"),
    ("kube-controller-manager", "system:kube-controller-manager", ""),
    ("kube-scheduler", "system:kube-scheduler", ""),
    ("kube-proxy", "system:kube-proxy", ""),
];

/// The files by which the parts of a cluster know each other, made anew for each cluster.
pub(super) struct Access {
    dir: PathBuf,
    /// Where the API server listens.
    pub(super) address: SocketAddrV4,
    /// The API server's certificate, and the one that it shows to the kubelet.
    pub(super) authority: Authority,
    /// Signs the tokens of service accounts.
    pub(super) signing_key: PathBuf,
    /// Verifies them.
    pub(super) verifying_key: PathBuf,
    /// The tokens of [`USERS`], as the API server reads them.
    pub(super) tokens: PathBuf,
}

impl Access {
    /// Makes everything in a directory, for an API server at this address.
    pub(super) fn create(dir: &Path, address: SocketAddrV4) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
        let (own, service) = (address.ip().to_string(), API_SERVICE.to_string());
        let names =
            [own.as_str(), &service, "kubernetes.default.svc", "kubernetes.default", "kubernetes"];
        let access = Self {
            authority: pki::authority(dir, "kubernetes", &names, "kube-apiserver")?,
            signing_key: dir.join("service-accounts.key"),
            verifying_key: dir.join("service-accounts.pub"),
            tokens: dir.join("tokens.csv"),
            dir: dir.to_path_buf(),
            address,
        };
        let key = KeyPair::generate()?;
        write_private(&access.signing_key, &key.serialize_pem())?;
        write_private(&access.verifying_key, &key.public_key_pem())?;
        let mut tokens = Vec::new();
        for (file, user, groups) in USERS {
            let token = name::random_token(24);
            tokens.push(format!("{token},{user},{file},\"{groups}\"\n"));
            let config = json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "cluster",
                "clusters": [{"name": "cluster", "cluster": {
                    "server": format!("https://{address}"),
                    "certificate-authority": access.authority.ca,
                }}],
                "users": [{"name": user, "user": {"token": token}}],
                "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": user}}],
            });
            write_private(&access.kubeconfig(file), &config.to_string())?;
        }
        write_private(&access.tokens, &tokens.concat())?;
        Ok(access)
    }

    /// The kubeconfig of one of them.
    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.dir.join(format!("{user}.kubeconfig"))
    }
}
