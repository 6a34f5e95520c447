//! Mutual TLS: who calls must show a certificate of our CA.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tracing::warn;

use service_process::lifecycle::Tasks;

/// How long a handshake may take. A peer in the same network needs milliseconds.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(5);

/// Finished handshakes that wait for the server. It takes them at once.
const HANDSHAKES_AHEAD: usize = 16;

/// The files of a TLS identity.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Our certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The CA that callers' certificates must come from, PEM.
    pub ca: PathBuf,
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum InvalidTls {
    /// It cannot be read as what it is to be.
    #[error("{option}: {path} holds no usable {what}: {reason}")]
    File {
        /// The option that named it.
        option: &'static str,
        /// Where.
        path: PathBuf,
        /// What it is to be.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The key is not that of the certificate.
    #[error("TLS_CERT_FILE and TLS_KEY_FILE do not belong together: {0}")]
    Pair(rustls::Error),
}

/// Reads the files and checks that they fit together.
pub fn load(files: &TlsFiles) -> Result<Arc<ServerConfig>, InvalidTls> {
    let chain = certificates("TLS_CERT_FILE", &files.certificate)?;
    let key = private_key("TLS_KEY_FILE", &files.key)?;
    let mut roots = rustls::RootCertStore::empty();
    let bad_ca = |reason| fault("TLS_CA_FILE", &files.ca, "CA certificate", reason);
    for certificate in certificates("TLS_CA_FILE", &files.ca)? {
        roots.add(certificate).map_err(|error| bad_ca(error.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let callers = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
        .build()
        .map_err(|error| bad_ca(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(InvalidTls::Pair)?
        .with_client_cert_verifier(callers)
        .with_single_cert(chain, key)
        .map_err(InvalidTls::Pair)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(
    option: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let fault = |reason| fault(option, path, "PEM certificate", reason);
    let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(Cursor::new(pem)).collect();
    let found = found.map_err(|error| fault(error.to_string()))?;
    if found.is_empty() { Err(fault("there is none in it".to_owned())) } else { Ok(found) }
}

fn private_key(option: &'static str, path: &Path) -> Result<PrivateKeyDer<'static>, InvalidTls> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| fault(option, path, "PEM private key", error.to_string()))
}

fn fault(option: &'static str, path: &Path, what: &'static str, reason: String) -> InvalidTls {
    InvalidTls::File { option, path: path.to_owned(), what, reason }
}

/// Connections whose handshake succeeded. Ends when the process stops.
pub fn accept(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    tasks: &Tasks,
) -> ReceiverStream<std::io::Result<TlsStream<TcpStream>>> {
    let (done, accepted) = mpsc::channel(HANDSHAKES_AHEAD);
    let acceptor = TlsAcceptor::from(config);
    let handshakes = tasks.clone();
    tasks.worker("grpc-accept", async move {
        while let Some(connection) =
            handshakes.stopping().run_until_cancelled(listener.accept()).await
        {
            let (connection, peer) = match connection {
                Ok(accepted) => accepted,
                // Out of descriptors, or the peer left: the next accept may succeed. Waiting keeps
                // the loop from spinning meanwhile.
                Err(error) => {
                    warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let (acceptor, done) = (acceptor.clone(), done.clone());
            handshakes.spawn(async move {
                let handshake = acceptor.accept(connection);
                let reason = match tokio::time::timeout(LONGEST_HANDSHAKE, handshake).await {
                    // The receiver is gone only when the server stops.
                    Ok(Ok(stream)) => return drop(done.send(Ok(stream)).await),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "handshake took too long".to_owned(),
                };
                metrics::counter!("tls_rejects_total").increment(1);
                warn!(event = "tls.reject", %peer, reason, "connection refused");
            });
        }
        Ok(())
    });
    ReceiverStream::new(accepted)
}
