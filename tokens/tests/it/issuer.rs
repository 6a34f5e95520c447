//! An issuer over HTTP whose answers the tests choose.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, StatusCode, header},
    routing::get,
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

use crate::signer::Signer;

/// What an endpoint answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Body(String),
    /// With this Cache-Control.
    Kept(&'static str, String),
    Status(StatusCode, String),
    Redirect(String),
    /// Headers and the first half of the body; the rest never comes.
    Half(String),
    /// Waits for a permit, which it takes.
    Gate(Arc<Semaphore>, String),
}

impl Answer {
    pub(crate) fn json(value: &Value) -> Self {
        Self::Body(value.to_string())
    }
}

/// One endpoint: its answer and how often it was asked.
pub(crate) struct Endpoint {
    answer: Mutex<Answer>,
    requests: AtomicUsize,
}

impl Endpoint {
    fn new(answer: Answer) -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(answer), requests: AtomicUsize::new(0) })
    }

    pub(crate) fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    async fn respond(State(endpoint): State<Arc<Self>>) -> Response<Body> {
        endpoint.requests.fetch_add(1, Ordering::SeqCst);
        let answer = endpoint.answer.lock().unwrap().clone();
        let response = Response::builder();
        match answer {
            Answer::Body(body) => response.body(body.into()),
            Answer::Kept(how, body) => {
                response.header(header::CACHE_CONTROL, how).body(body.into())
            }
            Answer::Status(status, body) => response.status(status).body(body.into()),
            Answer::Redirect(to) => {
                response.status(StatusCode::FOUND).header(header::LOCATION, to).body(Body::empty())
            }
            Answer::Half(body) => {
                use futures_util::{StreamExt, stream};
                let half = body[..body.len() / 2].to_owned();
                let never = stream::pending();
                let start = stream::iter([Ok::<_, std::io::Error>(half)]);
                response.body(Body::from_stream(start.chain(never)))
            }
            Answer::Gate(gate, body) => {
                gate.acquire().await.unwrap().forget();
                response.body(body.into())
            }
        }
        .unwrap()
    }
}

/// Serves `/dex/.well-known/openid-configuration` and `/dex/keys` on a port of 127.0.0.1.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) discovery: Arc<Endpoint>,
    pub(crate) keys: Arc<Endpoint>,
    port: u16,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Issuer {
    pub(crate) async fn start(keys: &[&Signer]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/dex");
        let mut issuer = Self {
            discovery: Endpoint::new(Answer::json(&discovery(&url))),
            keys: Endpoint::new(Answer::json(&jwks(keys))),
            url,
            port,
            server: None,
        };
        issuer.serve(listener);
        issuer
    }

    fn serve(&mut self, listener: TcpListener) {
        let discovery = get(Endpoint::respond).with_state(Arc::clone(&self.discovery));
        let keys = get(Endpoint::respond).with_state(Arc::clone(&self.keys));
        let router = Router::new()
            .route("/dex/.well-known/openid-configuration", discovery)
            .route("/dex/keys", keys);
        let (stop, stopped) = oneshot::channel();
        let server = axum::serve(listener, router).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move { server.await.unwrap() });
        self.server = Some((stop, task));
    }

    /// Nobody listens any more.
    pub(crate) async fn stop(&mut self) {
        let (stop, task) = self.server.take().unwrap();
        stop.send(()).unwrap();
        task.await.unwrap();
    }

    /// On the same port as before.
    pub(crate) async fn restart(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.serve(listener);
    }

    pub(crate) fn publish(&self, keys: &[&Signer]) {
        self.keys.set(Answer::json(&jwks(keys)));
    }
}

/// The discovery document of an issuer at `url`.
pub(crate) fn discovery(url: &str) -> Value {
    json!({"issuer": url, "jwks_uri": format!("{url}/keys")})
}

pub(crate) fn jwks(keys: &[&Signer]) -> Value {
    json!({"keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>()})
}
