//! The owner of the account, at home.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};
use tonic::Status;

use super::field::{Field, VICTIM};
use crate::caller::{Attempt, address};
use crate::imported;
use crate::line::Line;
use crate::service::{Database, LoginSite};

/// How often the owner logs in.
const EVERY: Duration = Duration::from_secs(3);

/// Somebody with the right password, known from one network.
pub(super) struct Owner {
    password: String,
    home: String,
}

/// How the owner fared.
#[derive(Debug, Default)]
pub(super) struct Visits {
    pub(super) tried: usize,
    pub(super) refused: usize,
    /// How many visits failed, by the answer.
    pub(super) why: BTreeMap<String, usize>,
}

impl Owner {
    /// Makes the account.
    pub(super) async fn make(site: &LoginSite, database: &Database) -> Result<Self> {
        let password = "what only the owner knows";
        let yaml = format!(
            "users:\n  - {{ username: {VICTIM}, email: {VICTIM}@example.com, password: {password} }}\n"
        );
        site.seed(database, imported::COST, &yaml).await?;
        // Nobody else's: the attack counts networks from the near end.
        Ok(Self { password: password.to_owned(), home: address(12_000_000) })
    }

    /// Logs in by the one name or the other.
    pub(super) async fn log_in(&self, replica: &Line, n: u32) -> Result<bool, Status> {
        let domain = if n.is_multiple_of(2) { "" } else { "@example.com" };
        let name = format!("{VICTIM}{domain}");
        Attempt::new(&name, &self.password, self.home.clone()).send(replica).await
    }

    /// Logs in again and again, on each replica in turn, until the attack is over.
    pub(super) async fn visit(&self, field: &Field) -> Visits {
        let (mut visits, mut due) = (Visits::default(), Instant::now());
        for n in 0.. {
            due += EVERY;
            if due >= field.end {
                break;
            }
            sleep_until(due).await;
            let answer = self.log_in(field.replica(n), n / 3).await;
            visits.tried += 1;
            let why = match answer {
                Ok(true) => continue,
                Ok(false) => "as to a wrong password".to_owned(),
                Err(status) => format!("{:?}: {}", status.code(), status.message()),
            };
            visits.refused += 1;
            *visits.why.entry(why).or_default() += 1;
        }
        visits
    }
}
