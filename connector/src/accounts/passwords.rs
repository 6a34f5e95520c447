//! New passwords: which are taken, and who hashes them.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::refusal::Refusal;
use crate::core::Core;
use crate::password::{Breaches, Credential, PasswordRules, UnfitPassword};

/// Takes new passwords.
#[derive(Debug)]
pub(super) struct NewPasswords {
    core: Arc<Core>,
    rules: PasswordRules,
    /// What the service is called, as far as its address says.
    product: Vec<String>,
    breaches: Option<Breaches>,
}

impl NewPasswords {
    pub(super) fn new(
        core: Arc<Core>,
        (rules, product): (PasswordRules, Vec<String>),
        breaches: Option<Breaches>,
    ) -> Self {
        Self { core, rules, product, breaches }
    }

    /// The least length, in characters.
    pub(super) fn least(&self) -> usize {
        self.rules.least
    }

    /// Hashes one, if it is taken from somebody with this address and these names. `admit` is asked before anything is
    /// done that costs: a proved address would otherwise be good for any number of hashes.
    pub(super) async fn hash(
        &self,
        password: SecretString,
        owner: &[&str],
        admit: impl FnOnce() -> Result<(), Duration>,
    ) -> Result<Credential, Refusal> {
        let parts =
            owner.iter().flat_map(|name| name.split(|c: char| c == '@' || c.is_whitespace()));
        let product = self.product.iter().map(String::as_str);
        let words: Vec<&str> = owner.iter().copied().chain(parts).chain(product).collect();
        let password = self.rules.check(password, &words).map_err(Refusal::Password)?;
        admit().map_err(Refusal::Throttled)?;
        if let Some(breaches) = &self.breaches
            && breaches.know(password.as_secret()).await
        {
            return Err(Refusal::Password(UnfitPassword::Breached));
        }
        let words = words.into_iter().map(str::to_owned).collect();
        self.core.pool.hash_new(password, words).await?.map_err(Refusal::Password)
    }
}
