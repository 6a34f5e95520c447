//! The token by which a browser knows its flow.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use service_process::sources::Sources;
use sha2::{Digest as _, Sha256};

/// A flow as its browser knows it: 160 bits that nobody can guess. The database has only their SHA-256.
#[derive(Clone, PartialEq, Eq)]
pub struct FlowToken([u8; 20]);

impl FlowToken {
    /// A new one.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        let mut token = [0; 20];
        let (first, second) = token.split_at_mut(10);
        first.copy_from_slice(&(sources.random)());
        second.copy_from_slice(&(sources.random)());
        Self(token)
    }

    /// One of the first bits of a MAC.
    pub(super) fn of_mac(mac: &[u8; 32]) -> Self {
        Self(std::array::from_fn(|n| mac[n]))
    }

    /// As a MAC takes it.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Reads what a browser sent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As a browser keeps it.
    #[must_use]
    pub fn expose(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// As the forms of the flow's pages bear it: it tells pages of two flows apart, and opens nothing.
    #[must_use]
    pub fn of_form(&self) -> String {
        let code = Sha256::new().chain_update(b"form").chain_update(self.0).finalize();
        URL_SAFE_NO_PAD.encode(&code[..16])
    }

    /// As the database knows it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for FlowToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlowToken(…)")
    }
}
