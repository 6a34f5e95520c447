//! Who may call whom: certificates between the services.

use std::fs;

use anyhow::Result;
use auth_proto::connector::v1::PromptRequest;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::dex_api::VersionReq;
use auth_proto::dex_api::dex_client::DexClient;
use devstack::pki::{Authority, Identity};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use crate::stage::Stage;

/// A channel to a server of this authority.
pub(crate) fn channel(authority: &Authority, port: u16, as_: Option<&Identity>) -> Result<Channel> {
    let mut tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(fs::read(&authority.ca)?))
        .domain_name("localhost");
    if let Some(Identity { cert, key }) = as_ {
        let (cert, key) = (fs::read(cert)?, fs::read(key)?);
        tls = tls.identity(tonic::transport::Identity::from_pem(cert, key));
    }
    let address = format!("https://127.0.0.1:{port}");
    Ok(Channel::from_shared(address)?.tls_config(tls)?.connect_lazy())
}

#[tokio::test]
async fn the_connector_answers_dex_and_nobody_else() -> Result<()> {
    let stack = &Stage::shared().await?.stack;
    let (pki, port) = (stack.pki(), stack.ports().connector);
    let prompt = async |as_| {
        let channel = channel(&pki.connector, port, as_)?;
        let answer = PasswordConnectorClient::new(channel).prompt(PromptRequest {}).await?;
        anyhow::Ok(answer.into_inner().prompt)
    };
    assert_eq!(prompt(Some(&pki.connector.client)).await?, "Username or e-mail");
    assert!(prompt(None).await.is_err(), "without a certificate");
    assert!(prompt(Some(&pki.dex_admin.client)).await.is_err(), "with another CA's certificate");
    assert_eq!(prompt(Some(&pki.connector.client)).await?, "Username or e-mail");
    Ok(())
}

#[tokio::test]
async fn dex_s_admin_api_answers_the_connector_and_nobody_else() -> Result<()> {
    let stack = &Stage::shared().await?.stack;
    let (pki, port) = (stack.pki(), stack.ports().dex_admin);
    let version = async |as_| {
        let channel = channel(&pki.dex_admin, port, as_)?;
        let answer = DexClient::new(channel).get_version(VersionReq {}).await?;
        anyhow::Ok(answer.into_inner().server)
    };
    assert_eq!(version(Some(&pki.dex_admin.client)).await?, "v2.45.1+grpc");
    assert!(version(None).await.is_err(), "without a certificate");
    assert!(version(Some(&pki.connector.client)).await.is_err(), "with another CA's certificate");
    Ok(())
}
