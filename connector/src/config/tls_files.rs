//! The files of the connector's TLS identity.

use std::path::PathBuf;

/// The files of the connector's TLS identity. They are read again when they change, so they are kept by
/// their paths.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Our certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The CA that callers' certificates must come from, PEM.
    pub ca: PathBuf,
    /// The DNS names (SAN) of which a caller's certificate must bear one.
    pub client_names: Vec<String>,
}
