//! Callers that hang up, however many: nobody else notices.

use auth_connector::grpc::SERVICE_NAME;
use auth_proto::connector::v1::password_connector_client::PasswordConnectorClient;
use auth_proto::connector::v1::{Identity, PromptRequest, RefreshRequest, Scopes};
use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::setup::replica::{Replica, from_elsewhere};
use crate::setup::{Database, PASSWORD, attempt, eventually, origin};

/// How many hang up at once.
const CALLERS: [u32; 3] = [1, 300, 3000];

fn health() -> HealthCheckRequest {
    HealthCheckRequest { service: SERVICE_NAME.to_owned() }
}

/// Calls that are hung up as soon as one of them is answered: by then the others were sent. Yields one
/// of the connections that they came by, for all people share that of their Dex: what else is under
/// way on it goes on.
async fn hang_up<F>(replica: &Replica, callers: u32, call: impl Fn(Channel, u32) -> F) -> Channel
where
    F: Future<Output = ()> + Send + 'static,
{
    // A connection carries 1,024 calls at once.
    let channels: Vec<_> = (0..8).map(|_| replica.channel()).collect();
    let watched = HealthClient::new(channels[0].clone()).watch(health()).await;
    let mut watched = watched.expect("health is watched").into_inner();
    let mut calls = JoinSet::new();
    for n in 0..callers {
        calls.spawn(call(channels[n as usize % channels.len()].clone(), n));
    }
    calls.join_next().await.expect("one is answered").expect("no panic");
    calls.shutdown().await;
    // It is answered after what was hung up before it.
    let prompted = PasswordConnectorClient::new(channels[0].clone()).prompt(PromptRequest {}).await;
    prompted.expect("the connection stands");
    while let Some(told) = watched.message().now_or_never() {
        told.expect("the connection stands").expect("health is watched on");
    }
    channels[0].clone()
}

fn refresh(identity: &Identity) -> RefreshRequest {
    RefreshRequest {
        user_id: identity.user_id.clone(),
        connector_data: identity.connector_data.clone(),
        scopes: Some(Scopes { offline_access: true, groups: true }),
        of_code: false,
        origin: Some(origin()),
    }
}

/// Everybody else, right after the others hung up.
async fn served(channel: Channel, alice: &Identity) {
    let mut client = PasswordConnectorClient::new(channel.clone());
    // A machine that is busy with the rest of the calls may need more than the 1.5 s of a step for hers.
    let login = eventually("alice logs in", async || {
        client.clone().login(attempt("alice", PASSWORD)).await.ok()
    });
    assert!(login.await.into_inner().valid_password);
    let refreshed = eventually("her session goes on", async || {
        client.clone().refresh(refresh(alice)).await.ok()
    });
    assert!(refreshed.await.into_inner().identity.is_some());
    client.prompt(PromptRequest {}).await.expect("the form is shown");
    assert_eq!(status(channel).await, ServingStatus::Serving);
}

async fn status(channel: Channel) -> ServingStatus {
    let answer = HealthClient::new(channel).check(health()).await;
    answer.expect("health answers").into_inner().status()
}

async fn started() -> (Database, Replica, Identity) {
    let database = Database::with_people().await;
    let replica = Replica::start(&database, &[]).await;
    // From now on the network is known for her.
    let alice = replica.login(attempt("alice", PASSWORD)).await.expect("she logs in");
    (database, replica, alice.identity.expect("an identity"))
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_that_are_hung_up_keep_nobody_else_waiting() {
    let (database, replica, alice) = started().await;
    for callers in CALLERS {
        let shared = hang_up(&replica, callers, |channel, n| async move {
            let mut client = PasswordConnectorClient::new(channel);
            let _ = client.login(from_elsewhere(&format!("nobody {n}"), "a guess", n)).await;
        })
        .await;
        served(shared, &alice).await;
    }
    eventually("no charge is left", async || {
        let left: i64 = sqlx::query_scalar(
            "select coalesce(sum(cardinality(pending)), 0)::bigint from login_guard",
        )
        .fetch_one(&database.pool)
        .await
        .unwrap();
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshes_that_are_hung_up_keep_nobody_else_waiting() {
    let (_database, replica, alice) = started().await;
    for callers in CALLERS {
        let shared = hang_up(&replica, callers, |channel, _| {
            let request = refresh(&alice);
            async move {
                let _ = PasswordConnectorClient::new(channel).refresh(request).await;
            }
        })
        .await;
        served(shared, &alice).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_and_health_checks_that_are_hung_up_keep_nobody_else_waiting() {
    let (_database, replica, alice) = started().await;
    for callers in CALLERS {
        let shared = hang_up(&replica, callers, |channel, _| async move {
            let _ = PasswordConnectorClient::new(channel).prompt(PromptRequest {}).await;
        })
        .await;
        served(shared, &alice).await;
        let shared = hang_up(&replica, callers, |channel, _| async move {
            let _ = HealthClient::new(channel).check(health()).await;
        })
        .await;
        served(shared, &alice).await;
    }
}

/// The same after the database did not answer for a while: what was under way then keeps nobody.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_stall_of_the_database_everybody_is_served_at_once() {
    let (database, replica, alice) = started().await;
    let mut held = database.pool.begin().await.unwrap();
    sqlx::query("lock table users").execute(&mut *held).await.unwrap();
    let clients: Vec<_> = (0..8).map(|_| PasswordConnectorClient::new(replica.channel())).collect();
    let mut calls = JoinSet::new();
    for n in 0..300 {
        let mut client = clients[n as usize % clients.len()].clone();
        let request = refresh(&alice);
        calls.spawn(async move {
            if n % 2 == 0 {
                client.login(from_elsewhere(&format!("nobody {n}"), "a guess", n)).await.map(drop)
            } else {
                client.refresh(request).await.map(drop)
            }
        });
    }
    while let Some(answer) = calls.join_next().await {
        let status = answer.unwrap().expect_err("the database does not answer");
        assert_eq!(status.code(), tonic::Code::Unavailable, "{status}");
    }
    // Five attempts, two sessions, and the sweep if it is due: of ten connections some are left.
    let waiting = database.waiting().await;
    assert!((1..=8).contains(&waiting), "{waiting} connections wait for the database");
    assert_eq!(status(replica.channel()).await, ServingStatus::Serving);
    held.rollback().await.unwrap();
    served(replica.channel(), &alice).await;
}
