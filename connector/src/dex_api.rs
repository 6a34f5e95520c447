//! Dex's admin API, as far as we need it. It asks for a client certificate of a CA of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use auth_proto::Message as _;
use auth_proto::dex_api::dex_client::DexClient;
use auth_proto::dex_api::{IdTokenSubject, ListRefreshReq, RefreshTokenRef, RevokeRefreshReq};
use axum::http::uri::Authority;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::account::AccountId;

/// How long a call may take, and a connection to be made. Dex answers in milliseconds; the worker
/// waits for nothing else meanwhile.
const LONGEST_CALL: Duration = Duration::from_secs(3);

/// Where Dex's admin API is, and how to call it.
#[derive(Debug, Clone)]
pub struct DexApiSettings {
    /// Host and port; Dex's certificate must bear the host.
    pub address: Authority,
    /// The CA that signed Dex's certificate, PEM.
    pub ca: PathBuf,
    /// Our certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Dex's id of the connector.
    pub connector_id: String,
}

/// Dex's admin API.
#[derive(Debug, Clone)]
pub struct DexApi {
    settings: DexApiSettings,
}

/// The files to call Dex with cannot be used.
#[derive(Debug, Error)]
pub enum InvalidDexApi {
    /// A file cannot be read, or holds something else.
    #[error("{option}: {path} is not usable: {reason}")]
    File {
        /// The variable of the option that named the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong, without anything that the file holds.
        reason: String,
    },
    /// The files do not belong together.
    #[error("DEX_API_CA_FILE, DEX_API_CERT_FILE and DEX_API_KEY_FILE are not usable")]
    Tls(#[source] tonic::transport::Error),
}

/// Dex did not do what it was asked to.
#[derive(Debug, Error)]
pub enum DexApiError {
    /// The files cannot be used any more, so Dex was not asked.
    #[error(transparent)]
    Files(#[from] InvalidDexApi),
    /// The call failed, or was not answered within 3 s.
    #[error("Dex's admin API failed")]
    Call(#[from] tonic::Status),
}

impl DexApi {
    /// Checks that the files can be used. Dials nobody.
    pub fn open(settings: DexApiSettings) -> Result<Self, InvalidDexApi> {
        let api = Self { settings };
        api.endpoint()?;
        Ok(api)
    }

    /// Dex's id of the connector.
    #[must_use]
    pub fn connector_id(&self) -> &str {
        &self.settings.connector_id
    }

    /// A new connection, made at its first call with the files as they are now.
    pub fn connect(&self) -> Result<Connection, InvalidDexApi> {
        Ok(Connection {
            client: DexClient::new(self.endpoint()?.connect_lazy()),
            connector_id: self.settings.connector_id.clone(),
        })
    }

    fn endpoint(&self) -> Result<Endpoint, InvalidDexApi> {
        let DexApiSettings { address, ca, certificate, key, .. } = &self.settings;
        let ca = read::<CertificateDer>("DEX_API_CA_FILE", ca)?;
        let certificate = read::<CertificateDer>("DEX_API_CERT_FILE", certificate)?;
        let key = read::<PrivateKeyDer>("DEX_API_KEY_FILE", key)?;
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(ca))
            .identity(Identity::from_pem(certificate, key));
        Endpoint::from_shared(format!("https://{address}"))
            .and_then(|endpoint| endpoint.tls_config(tls))
            .map(|endpoint| endpoint.connect_timeout(LONGEST_CALL).timeout(LONGEST_CALL))
            .map_err(InvalidDexApi::Tls)
    }
}

/// A connection to Dex's admin API.
#[derive(Debug)]
pub struct Connection {
    client: DexClient<Channel>,
    connector_id: String,
}

impl Connection {
    /// The refresh tokens of an account: one for each client it is signed in to.
    pub async fn refresh_tokens(
        &mut self,
        account: AccountId,
    ) -> Result<Vec<RefreshTokenRef>, DexApiError> {
        let user_id = subject(account, &self.connector_id);
        let answer = self.client.list_refresh(ListRefreshReq { user_id }).await?;
        Ok(answer.into_inner().refresh_tokens)
    }

    /// Revokes the account's refresh token with a client. That there is none is as good.
    pub async fn revoke(
        &mut self,
        account: AccountId,
        client_id: String,
    ) -> Result<(), DexApiError> {
        let user_id = subject(account, &self.connector_id);
        self.client.revoke_refresh(RevokeRefreshReq { user_id, client_id }).await?;
        Ok(())
    }
}

/// The account that the `sub` of a token of Dex is; `None` if it is of another connector, or not as Dex writes it.
#[must_use]
pub fn account_of(sub: &str, connector_id: &str) -> Option<AccountId> {
    let bytes = URL_SAFE_NO_PAD.decode(sub).ok()?;
    let IdTokenSubject { user_id, .. } = IdTokenSubject::decode(bytes.as_slice()).ok()?;
    let account = AccountId::parse(&user_id).ok()?;
    // One message can be written in many ways, and Dex knows one of them.
    (subject(account, connector_id) == sub).then_some(account)
}

/// The `sub` of the account's tokens.
#[must_use]
pub fn subject(account: AccountId, connector_id: &str) -> String {
    encode(&IdTokenSubject { user_id: account.to_string(), conn_id: connector_id.to_owned() })
}

fn encode(subject: &IdTokenSubject) -> String {
    URL_SAFE_NO_PAD.encode(subject.encode_to_vec())
}

/// A PEM file that begins with a `T`.
fn read<T: PemObject>(option: &'static str, path: &Path) -> Result<Vec<u8>, InvalidDexApi> {
    let fault = |reason| InvalidDexApi::File { option, path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    T::from_pem_slice(&pem).map_err(|error| fault(error.to_string()))?;
    Ok(pem)
}

#[cfg(test)]
#[path = "dex_api_tests.rs"]
mod tests;
