//! Where Dex's admin API is, and how to call it.

use std::path::PathBuf;

use axum::http::uri::Authority;
use clap::Args;

use super::address::parse_address;
use super::missing::{MissingOption, needed};
use super::roles::Role;
use crate::dex_api::DexApiSettings;

/// Where Dex's admin API is, and how to call it.
#[derive(Debug, Clone, Args)]
pub struct DexApiArgs {
    /// Dex's admin API, `HOST:PORT`; its certificate must bear the host. Needed by the role `worker`.
    #[arg(long, env = "DEX_API_ADDRESS", value_parser = parse_address)]
    pub dex_api_address: Option<Authority>,

    /// CA that signed the certificate of Dex's admin API, PEM. Needed by the role `worker`.
    #[arg(long, env = "DEX_API_CA_FILE")]
    pub dex_api_ca_file: Option<PathBuf>,

    /// Certificate chain to call Dex's admin API with, PEM. Needed by the role `worker`.
    #[arg(long, env = "DEX_API_CERT_FILE")]
    pub dex_api_cert_file: Option<PathBuf>,

    /// Private key of that certificate, PEM. Needed by the role `worker`.
    #[arg(long, env = "DEX_API_KEY_FILE")]
    pub dex_api_key_file: Option<PathBuf>,

    /// The id that the connector has in Dex's configuration.
    #[arg(long, env = "DEX_CONNECTOR_ID", default_value = "local-postgres",
          value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub dex_connector_id: String,
}

impl DexApiArgs {
    /// Everything that is needed to call.
    pub fn settings(&self) -> Result<DexApiSettings, MissingOption> {
        Ok(DexApiSettings {
            address: needed(self.dex_api_address.as_ref(), "dex-api-address", Role::Worker)?,
            ca: needed(self.dex_api_ca_file.as_ref(), "dex-api-ca-file", Role::Worker)?,
            certificate: needed(
                self.dex_api_cert_file.as_ref(),
                "dex-api-cert-file",
                Role::Worker,
            )?,
            key: needed(self.dex_api_key_file.as_ref(), "dex-api-key-file", Role::Worker)?,
            connector_id: self.dex_connector_id.clone(),
        })
    }
}
