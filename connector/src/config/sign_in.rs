//! How people sign in to the accounts pages, which are a client of Dex.

use std::path::PathBuf;

use clap::Args;
use dex_session::{ClientSettings, InvalidClient, Sealer, SignIn};
use secrecy::SecretString;
use thiserror::Error;

use super::accounts::PublicUrl;
use super::dex_login::{DexLoginArgs, Issuer};
use super::passwords::{InvalidKeyFile, read};
use crate::accounts::AUDIENCE;

/// How people sign in to the accounts pages, which are a client of Dex.
#[derive(Debug, Clone, Args)]
pub struct SignInArgs {
    /// File of the secret that the client `accounts` has in Dex's configuration; white space around it does not count.
    /// With it people sign in to the accounts pages.
    #[arg(long, env = "ACCOUNTS_CLIENT_SECRET_FILE",
          requires_all = ["accounts_session_key_file", "accounts_public_url", "dex_issuer_url"])]
    pub accounts_client_secret_file: Option<PathBuf>,

    /// File of the keys that cookies of who is signed in are sealed with, one `id:base64` a line, 32 bytes each: the first
    /// seals, the others open what they sealed. The same for all replicas.
    #[arg(long, env = "ACCOUNTS_SESSION_KEY_FILE", requires = "accounts_client_secret_file")]
    pub accounts_session_key_file: Option<PathBuf>,
}

/// Nobody could sign in to the accounts pages.
#[derive(Debug, Error)]
pub enum InvalidSignIn {
    /// The file of the secret or of the keys.
    #[error(transparent)]
    Key(#[from] InvalidKeyFile),
    /// What is said of Dex.
    #[error("{option}")]
    Client {
        /// The variable of the option that is at fault.
        option: &'static str,
        /// What is wrong.
        #[source]
        reason: InvalidClient,
    },
}

impl SignInArgs {
    /// The client at Dex, if there is one, which browsers come back from to these pages.
    pub fn client(
        &self,
        dex: &DexLoginArgs,
        pages: &PublicUrl,
    ) -> Result<Option<SignIn>, InvalidSignIn> {
        let Some(secret) = &self.accounts_client_secret_file else { return Ok(None) };
        let client_secret = read("ACCOUNTS_CLIENT_SECRET_FILE", Some(secret), secret_of)?;
        let keys = self.accounts_session_key_file.as_deref();
        let sealer = read("ACCOUNTS_SESSION_KEY_FILE", keys, Sealer::parse)?;
        let settings = ClientSettings {
            issuer: dex.dex_issuer_url.as_ref().map(Issuer::to_string).unwrap_or_default(),
            discovery: dex.dex_discovery_url.clone().map(Into::into),
            client_id: AUDIENCE.to_owned(),
            client_secret,
            redirect_uri: format!("{}/callback", pages.as_str()),
        };
        let client = SignIn::new(settings, sealer);
        let client = client.map_err(|reason| {
            let option = match reason {
                InvalidClient::Discovery => "DEX_DISCOVERY_URL",
                InvalidClient::RedirectUri => "ACCOUNTS_PUBLIC_URL",
                InvalidClient::ClientSecret => "ACCOUNTS_CLIENT_SECRET_FILE",
                InvalidClient::Issuer | InvalidClient::ClientId | InvalidClient::Http(_) => {
                    "DEX_ISSUER_URL"
                }
            };
            InvalidSignIn::Client { option, reason }
        });
        client.map(Some)
    }
}

/// There is no secret in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is empty")]
struct NoSecret;

fn secret_of(text: &str) -> Result<SecretString, NoSecret> {
    let secret = text.trim();
    if secret.is_empty() { Err(NoSecret) } else { Ok(secret.into()) }
}
