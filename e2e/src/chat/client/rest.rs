//! Saying something by REST, as insistently as over the socket.

use std::time::Duration;

use http::StatusCode;
use reqwest::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::Client;
use super::saying::{Acked, Refused};
use crate::chat::place::Place;

/// The server answers within 5 s of Kafka's and 2 s of its own; beyond that the answer is lost.
const ANSWER: Duration = Duration::from_secs(12);
/// What is waited before the next attempt, at most.
const REPEAT: Duration = Duration::from_millis(600);

/// The body of the answer 202.
#[derive(Deserialize)]
struct Enqueued {
    message_id: Uuid,
    cursor: Option<String>,
}

/// The problem, as far as it matters here.
#[derive(Default, Deserialize)]
struct Problem {
    r#type: String,
    #[serde(default)]
    outcome: Option<String>,
}

/// What became of an attempt.
enum Attempt {
    Accepted(Acked),
    /// The refusal passes, or another replica does better.
    Again {
        name: String,
        unknown: bool,
    },
    Refused(String),
}

impl Client {
    /// Posts something under a key, at one replica after another, until it is accepted.
    pub async fn post(&self, content: &str) -> Result<Acked, Refused> {
        let key = Uuid::from_u128(rand::random()).to_string();
        let mut doubted = false;
        for replica in self.about.replicas.iter().cycle().skip(self.about.home) {
            match self.attempt(replica, &key, content).await {
                Attempt::Accepted(acked) => {
                    self.record().settled += u64::from(doubted);
                    return Ok(acked);
                }
                Attempt::Refused(why) => return Err(Refused(why)),
                Attempt::Again { name, unknown } => {
                    let mut record = self.record();
                    *record.refusals.entry(name).or_default() += 1;
                    record.unknown += u64::from(unknown && !doubted);
                    doubted |= unknown;
                }
            }
            sleep(REPEAT.mul_f64(rand::random())).await;
        }
        Err(Refused("there is no replica".into()))
    }

    async fn attempt(&self, replica: &str, key: &str, content: &str) -> Attempt {
        let request = self.about.http.post(format!("{replica}/v1/messages"));
        let mut request = request.header("idempotency-key", key);
        if let Some(wallet) = &self.about.wallet {
            request = request.bearer_auth(wallet.token().await.expose());
        }
        let body = json!({ "room_id": self.about.room, "content": content });
        match request.json(&body).timeout(ANSWER).send().await {
            Ok(response) => self.answered(response).await,
            // Without a connection nothing was sent; else it may have arrived.
            Err(error) => Attempt::Again { name: "no answer".into(), unknown: !error.is_connect() },
        }
    }

    async fn answered(&self, response: Response) -> Attempt {
        let status = response.status();
        let lost = || Attempt::Again { name: "half an answer".into(), unknown: true };
        let Ok(body) = response.bytes().await else { return lost() };
        if status == StatusCode::ACCEPTED {
            let Ok(Enqueued { message_id, cursor }) = serde_json::from_slice(&body) else {
                return Attempt::Refused("a 202 of another shape".into());
            };
            let place = cursor.map(|cursor| Place::of(&cursor)).transpose();
            return match place {
                Ok(place) => Attempt::Accepted(Acked { id: message_id, place }),
                Err(error) => Attempt::Refused(format!("{error}")),
            };
        }
        let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
        let name = problem.r#type.rsplit(':').next().unwrap_or_default().to_owned();
        let passes = status.is_server_error() && status != StatusCode::INTERNAL_SERVER_ERROR
            || status == StatusCode::TOO_MANY_REQUESTS;
        if passes {
            let unknown = problem.outcome.as_deref() == Some("unknown");
            return Attempt::Again { name, unknown };
        }
        Attempt::Refused(format!("{status} {name}"))
    }
}
