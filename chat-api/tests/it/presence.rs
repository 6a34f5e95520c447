//! Who is online and who is typing, on several replicas

mod failures;
mod online;
mod rooms;
mod start;
mod traffic;
mod typing;

use std::time::Duration;

use chat_api::config::Config;
use serde_json::Value;

use crate::setup::{Replica, Setup, eventually};

/// Replicas that tell each other every second, and people who are offline after two without a connection.
fn fast(config: &mut Config) {
    config.args.presence.chat_presence_snapshot = 1;
    config.args.presence.chat_presence_grace = 2;
}

/// What [`fast`] sets, for the program in a process of its own.
const FAST: [(&str, &str); 2] = [("CHAT_PRESENCE_SNAPSHOT", "1"), ("CHAT_PRESENCE_GRACE", "2")];

/// How long what is promised after three snapshots may take, with some seconds for a busy machine.
const SILENT: Duration = Duration::from_secs(3 + 5);

impl Replica {
    /// The subjects of everybody who is online, page by page.
    async fn online(&self, token: &str, limit: u16) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), Some(format!("/v1/users/online?limit={limit}")));
        while let Some(path) = next {
            let response = self.get(token, &path).await;
            assert_eq!(response.status(), 200);
            next = response.headers().get("link").map(|link| {
                let link = link.to_str().unwrap().strip_suffix(">; rel=\"next\"").unwrap();
                link.strip_prefix('<').unwrap().to_owned()
            });
            let page: Vec<Value> = response.json().await.unwrap();
            assert!(page.len() <= usize::from(limit));
            ids.extend(page.iter().map(|user| user["user_id"].as_str().unwrap().to_owned()));
        }
        ids
    }

    /// Waits until exactly these are online.
    async fn has_online(&self, token: &str, expected: &[&str]) {
        eventually(&format!("{expected:?} are online"), async || {
            (self.online(token, 200).await == expected).then_some(())
        })
        .await;
    }
}

async fn fast_replica(setup: &Setup) -> Replica {
    setup.replica_with(fast).await
}
