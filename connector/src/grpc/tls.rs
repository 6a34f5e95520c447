//! Mutual TLS: who calls must show a certificate of our CA that bears a name we know.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
};
use service_process::lifecycle::Tasks;
use thiserror::Error;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::TlsFiles;
use crate::metrics::{TLS_CERTIFICATE_EXPIRES, TLS_RELOADS};

/// How often the files are looked at: three small reads. A renewed certificate is in use within
/// this time, long before the old one ends.
const LOOK_AT_FILES_EVERY: Duration = Duration::from_secs(2);

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum InvalidTls {
    /// It cannot be read, or holds something else.
    #[error("{option}: {path} holds no usable {what}: {reason}")]
    File {
        /// The variable of the option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold, such as a PEM certificate.
        what: &'static str,
        /// What is wrong, without anything that the file holds.
        reason: String,
    },
    /// The key is not that of the certificate.
    #[error("TLS_CERT_FILE and TLS_KEY_FILE do not belong together: {0}")]
    Pair(rustls::Error),
}

/// What the files held when they were read.
#[derive(PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
    ca: Vec<u8>,
}

impl Pem {
    fn read(files: &TlsFiles) -> Result<Self, InvalidTls> {
        let read = |option, path: &Path| {
            std::fs::read(path).map_err(|error| fault(option, path, "PEM", error.to_string()))
        };
        Ok(Self {
            certificate: read("TLS_CERT_FILE", &files.certificate)?,
            key: read("TLS_KEY_FILE", &files.key)?,
            ca: read("TLS_CA_FILE", &files.ca)?,
        })
    }

    /// Checks that the files fit together.
    fn parse(&self, files: &TlsFiles) -> Result<Served, InvalidTls> {
        let chain = certificates("TLS_CERT_FILE", &files.certificate, &self.certificate)?;
        let (_, own) = X509Certificate::from_der(&chain[0]).map_err(|error| {
            fault("TLS_CERT_FILE", &files.certificate, "X.509 certificate", error.to_string())
        })?;
        let expires = own.validity().not_after.timestamp();
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| {
            fault("TLS_KEY_FILE", &files.key, "PEM private key", error.to_string())
        })?;
        let mut roots = rustls::RootCertStore::empty();
        let bad_ca = |reason| fault("TLS_CA_FILE", &files.ca, "CA certificate", reason);
        for certificate in certificates("TLS_CA_FILE", &files.ca, &self.ca)? {
            roots.add(certificate).map_err(|error| bad_ca(error.to_string()))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let of_our_ca =
            WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                .build()
                .map_err(|error| bad_ca(error.to_string()))?;
        let callers = NamedCallers { of_our_ca, names: files.client_names.clone() };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(InvalidTls::Pair)?
            .with_client_cert_verifier(Arc::new(callers))
            .with_single_cert(chain, key)
            .map_err(InvalidTls::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Served { config: Arc::new(config), expires })
    }
}

/// What usable files come to.
struct Served {
    config: Arc<ServerConfig>,
    /// When our own certificate ends, in seconds of Unix time.
    expires: i64,
}

/// The identity that connections are accepted with. It follows its files.
pub struct Tls {
    files: TlsFiles,
    pem: Pem,
    served: watch::Sender<Served>,
}

impl Tls {
    /// Reads the files and checks that they fit together.
    pub fn load(files: TlsFiles) -> Result<Self, InvalidTls> {
        let pem = Pem::read(&files)?;
        let served = watch::Sender::new(pem.parse(&files)?);
        Ok(Self { files, pem, served })
    }

    /// Takes up changed files. What cannot be used changes nothing: connections go on being
    /// accepted with what was read before. While files are replaced one by one they do not fit.
    fn follow(&mut self) {
        let changed = match Pem::read(&self.files) {
            Ok(pem) if pem == self.pem => return,
            Ok(pem) => pem.parse(&self.files).map(|served| (pem, served)),
            Err(error) => Err(error),
        };
        match changed {
            Ok((pem, served)) => {
                self.pem = pem;
                self.served.send_replace(served);
                self.tell_end();
                metrics::counter!(TLS_RELOADS, "outcome" => "taken").increment(1);
                info!("the changed TLS files are in use");
            }
            Err(error) => {
                metrics::counter!(TLS_RELOADS, "outcome" => "refused").increment(1);
                warn!(%error, "the changed TLS files are not usable: the old ones stay");
            }
        }
    }

    /// When our own certificate ends, in seconds of Unix time.
    #[must_use]
    pub fn expires(&self) -> i64 {
        self.served.borrow().expires
    }

    fn tell_end(&self) {
        #[expect(clippy::cast_precision_loss, reason = "seconds are exact up to 2^53")]
        let expires = self.expires() as f64;
        metrics::gauge!(TLS_CERTIFICATE_EXPIRES).set(expires);
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Lets a caller in whose certificate is of our CA and bears one of these names. The CA may sign
/// for others too.
#[derive(Debug)]
struct NamedCallers {
    of_our_ca: Arc<dyn ClientCertVerifier>,
    names: Vec<String>,
}

impl NamedCallers {
    fn check_name(&self, certificate: &CertificateDer<'_>) -> Result<(), rustls::Error> {
        let certificate = webpki::EndEntityCert::try_from(certificate)
            .map_err(|_| rustls::Error::from(CertificateError::BadEncoding))?;
        let mut names = certificate.valid_dns_names();
        if names.any(|name| self.names.iter().any(|allowed| allowed == name)) {
            return Ok(());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

impl ClientCertVerifier for NamedCallers {
    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self.of_our_ca.verify_client_cert(certificate, intermediates, now)?;
        self.check_name(certificate).map(|()| verified)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.of_our_ca.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.of_our_ca.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.of_our_ca.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.of_our_ca.supported_verify_schemes()
    }
}

fn certificates(
    option: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let fault = |reason| fault(option, path, "PEM certificate", reason);
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| fault(error.to_string()))?;
    if found.is_empty() { Err(fault("there is none in it".to_owned())) } else { Ok(found) }
}

fn fault(option: &'static str, path: &Path, what: &'static str, reason: String) -> InvalidTls {
    InvalidTls::File { option, path: path.to_owned(), what, reason }
}

/// Handshakes with what the files hold at that moment.
#[derive(Clone)]
pub struct Handshakes(watch::Receiver<Served>);

impl Handshakes {
    /// Follows the files until the process stops.
    #[must_use]
    pub fn follow(mut tls: Tls, tasks: &Tasks) -> Self {
        let current = tls.served.subscribe();
        tls.tell_end();
        let stopping = tasks.stopping().clone();
        tasks.worker("tls-files", async move {
            let mut tick = tokio::time::interval(LOOK_AT_FILES_EVERY);
            while stopping.run_until_cancelled(tick.tick()).await.is_some() {
                tls.follow();
            }
            Ok(())
        });
        Self(current)
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.borrow().config))
    }
}
