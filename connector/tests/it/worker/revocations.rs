//! Up to Dex's door: what Dex itself does is shown with the whole stack.

use auth_connector::account::AccountId;
use auth_connector::audit::{Entry, Event};
use auth_connector::store::Store;
use auth_proto::connector::v1::{Identity, RefreshRequest};
use chrono::{DateTime, TimeDelta, Utc};
use service_process::sources::Sources;
use tonic::Code;
use uuid::Uuid;

use crate::setup::{Connector, Database, PASSWORD, PEOPLE, origin, text};

const PLAIN: &[&str] = &["--allow-plain-passwords"];

struct Scene {
    database: Database,
    store: Store,
    alice: AccountId,
}

impl Scene {
    async fn open() -> Self {
        let database = Database::with_people().await;
        let store = Store::open(&database.dsn.clone().into()).expect("a DSN");
        let alice: Uuid = sqlx::query_scalar("select id from users where username_key = 'alice'")
            .fetch_one(&database.pool)
            .await
            .expect("she is there");
        Self { database, store, alice: alice.into() }
    }

    /// Epoch, whether active, and when sessions are wished to end; of Alice.
    async fn state(&self) -> (Option<(i64, bool)>, Vec<DateTime<Utc>>) {
        let user = sqlx::query_as("select auth_epoch, is_active from users where id = $1")
            .bind(Uuid::from(self.alice))
            .fetch_optional(&self.database.pool)
            .await
            .expect("users are read");
        let wishes = sqlx::query_scalar(
            "select created_at from due_work
             where kind = 'revocation' and finished_at is null and user_id = $1",
        )
        .bind(Uuid::from(self.alice))
        .fetch_all(&self.database.pool)
        .await
        .expect("due work is read");
        (user, wishes)
    }

    async fn fulfil_all(&self) {
        sqlx::query("delete from due_work").execute(&self.database.pool).await.expect("deleted");
    }
}

fn told(event: Event, account: AccountId, now: DateTime<Utc>) -> Entry {
    Entry::of_account(Uuid::new_v4(), now, event, account)
}

async fn refresh(connector: &Connector, identity: &Identity) -> Result<(), Code> {
    ask(connector, identity, false).await
}

async fn exchange(connector: &Connector, identity: &Identity) -> Result<(), Code> {
    ask(connector, identity, true).await
}

async fn ask(connector: &Connector, identity: &Identity, of_code: bool) -> Result<(), Code> {
    let request = RefreshRequest {
        user_id: identity.user_id.clone(),
        connector_data: identity.connector_data.clone(),
        scopes: None,
        origin: Some(origin()),
        of_code,
    };
    connector.client().refresh(request).await.map(drop).map_err(|status| status.code())
}

/// As exact as PostgreSQL keeps it.
fn now() -> DateTime<Utc> {
    let now = (Sources::system().now)();
    DateTime::from_timestamp_micros(now.timestamp_micros()).expect("a time of today")
}

#[tokio::test]
async fn disabling_ends_the_sessions_once_and_enabling_does_not_bring_them_back() {
    let scene = Scene::open().await;
    let (store, ids) = (&scene.store, Sources::system());
    let (first, later) = (now(), now() + TimeDelta::seconds(5));

    assert!(
        store
            .disable(scene.alice, ids.id(first), &told(Event::AccountDisabled, scene.alice, first))
            .await
            .unwrap()
    );
    assert_eq!(scene.state().await, (Some((1, false)), vec![first]));
    assert!(
        !store
            .disable(scene.alice, ids.id(later), &told(Event::AccountDisabled, scene.alice, later))
            .await
            .unwrap(),
        "it is disabled"
    );
    assert_eq!(scene.state().await, (Some((1, false)), vec![first]), "nothing was written");

    assert!(
        store.enable(scene.alice, &told(Event::AccountEnabled, scene.alice, later)).await.unwrap()
    );
    assert!(
        !store.enable(scene.alice, &told(Event::AccountEnabled, scene.alice, later)).await.unwrap(),
        "it is enabled"
    );
    assert_eq!(scene.state().await, (Some((1, true)), vec![first]));
    let ended: Option<DateTime<Utc>> =
        sqlx::query_scalar("select sessions_ended_at from users where id = $1")
            .bind(Uuid::from(scene.alice))
            .fetch_one(&scene.database.pool)
            .await
            .unwrap();
    assert_eq!(ended, Some(first), "what is signed in from when on, it says");

    let nobody = Uuid::nil().into();
    assert!(
        !store
            .disable(nobody, ids.id(later), &told(Event::AccountDisabled, nobody, later))
            .await
            .unwrap()
    );
    assert!(!store.enable(nobody, &told(Event::AccountEnabled, nobody, later)).await.unwrap());
}

#[tokio::test]
async fn the_wish_to_end_sessions_outlives_the_account() {
    let scene = Scene::open().await;
    let (ids, now) = (Sources::system(), now());
    assert!(
        scene
            .store
            .delete(scene.alice, ids.id(now), &told(Event::AccountDeleted, scene.alice, now))
            .await
            .unwrap()
    );
    assert_eq!(scene.state().await, (None, vec![now]));
    assert!(
        !scene
            .store
            .delete(scene.alice, ids.id(now), &told(Event::AccountDeleted, scene.alice, now))
            .await
            .unwrap()
    );
    assert_eq!(scene.state().await, (None, vec![now]), "nothing was written");
}

#[tokio::test]
async fn a_seed_file_that_disables_ends_the_sessions_once() {
    let scene = Scene::open().await;
    let disabled = PEOPLE.replace("username: Alice\n", "username: Alice\n    is_active: false\n");
    for _ in 0..2 {
        let output = scene.database.seed(&disabled, PLAIN);
        assert!(output.status.success(), "{}", text(&output));
        let (user, wishes) = scene.state().await;
        assert_eq!((user, wishes.len()), (Some((1, false)), 1));
    }
}

#[tokio::test]
async fn no_session_goes_on_while_dex_is_yet_to_forget_some() {
    let scene = Scene::open().await;
    let connector = Connector::start(&scene.database.dsn).await;
    let login = async || connector.login("alice", PASSWORD).await.identity.expect("she logs in");
    let (before, ids, now) = (login().await, Sources::system(), now());
    assert_eq!(refresh(&connector, &before).await, Ok(()));

    scene
        .store
        .disable(scene.alice, ids.id(now), &told(Event::AccountDisabled, scene.alice, now))
        .await
        .unwrap();
    assert_eq!(refresh(&connector, &before).await, Err(Code::PermissionDenied));
    scene.store.enable(scene.alice, &told(Event::AccountEnabled, scene.alice, now)).await.unwrap();
    assert_eq!(refresh(&connector, &before).await, Err(Code::PermissionDenied), "an old one");
    let after = login().await;
    assert_eq!(refresh(&connector, &after).await, Err(Code::FailedPrecondition), "a new one, yet");
    scene.database.audited("refresh.denied", Some("revocation_pending")).await;

    scene.fulfil_all().await;
    assert_eq!(refresh(&connector, &after).await, Ok(()));
    assert_eq!(refresh(&connector, &before).await, Err(Code::PermissionDenied), "never again");
}

#[tokio::test]
async fn a_code_is_worth_what_the_account_is_and_does_not_wait_for_dex_to_forget() {
    let scene = Scene::open().await;
    let connector = Connector::start(&scene.database.dsn).await;
    let login = async || connector.login("alice", PASSWORD).await.identity.expect("she logs in");
    let (before, ids, now) = (login().await, Sources::system(), now());
    assert_eq!(exchange(&connector, &before).await, Ok(()));

    scene
        .store
        .disable(scene.alice, ids.id(now), &told(Event::AccountDisabled, scene.alice, now))
        .await
        .unwrap();
    assert_eq!(exchange(&connector, &before).await, Err(Code::PermissionDenied), "disabled");
    scene.database.audited("refresh.denied", Some("disabled")).await;
    scene.store.enable(scene.alice, &told(Event::AccountEnabled, scene.alice, now)).await.unwrap();
    assert_eq!(exchange(&connector, &before).await, Err(Code::PermissionDenied), "ended");
    assert_eq!(exchange(&connector, &login().await).await, Ok(()), "of a login after the end");

    scene
        .store
        .delete(scene.alice, ids.id(now), &told(Event::AccountDeleted, scene.alice, now))
        .await
        .unwrap();
    assert_eq!(exchange(&connector, &before).await, Err(Code::PermissionDenied), "deleted");
}

#[tokio::test]
async fn a_wish_is_tried_by_one_worker_at_a_time_and_again_after_a_failure_or_a_crash() {
    let scene = Scene::open().await;
    let (store, ids, asked) = (&scene.store, Sources::system(), now());
    store
        .disable(scene.alice, ids.id(asked), &told(Event::AccountDisabled, scene.alice, asked))
        .await
        .unwrap();
    let at = |seconds| asked + TimeDelta::seconds(seconds);

    assert_eq!(store.claim_revocation(asked, at(10)).await.unwrap(), None, "Dex may still issue");
    let wish = store.claim_revocation(at(1), at(11)).await.unwrap().expect("it is due");
    assert_eq!((wish.account, wish.requested_at, wish.failures), (scene.alice, asked, 0));
    assert_eq!(store.claim_revocation(at(10), at(20)).await.unwrap(), None, "another has it");
    let again = store.claim_revocation(at(11), at(21)).await.unwrap();
    assert_eq!(again.as_ref(), Some(&wish), "the other crashed");

    store.postpone(wish.id, at(12)).await.unwrap();
    let again = store.claim_revocation(at(12), at(22)).await.unwrap().expect("it is due again");
    assert_eq!(again.failures, 1);
    let entry = told(Event::SessionsEnded, wish.account, (Sources::system().now)());
    assert!(store.finish(wish.id, &entry).await.unwrap());
    assert!(!store.finish(wish.id, &entry).await.unwrap(), "it is fulfilled once");
    assert_eq!(store.claim_revocation(at(99), at(99)).await.unwrap(), None);
}

#[tokio::test]
async fn workers_that_look_at_once_share_the_wishes() {
    let scene = Scene::open().await;
    let (ids, asked) = (Sources::system(), now());
    for _ in 0..20 {
        scene
            .store
            .disable(scene.alice, ids.id(asked), &told(Event::AccountDisabled, scene.alice, asked))
            .await
            .unwrap();
        scene
            .store
            .enable(scene.alice, &told(Event::AccountEnabled, scene.alice, asked))
            .await
            .unwrap();
    }
    let due = asked + TimeDelta::seconds(1);
    let claims: Vec<_> = (0..8)
        .map(|_| {
            let store = scene.store.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                let until = due + TimeDelta::seconds(10);
                while let Some(wish) = store.claim_revocation(due, until).await.unwrap() {
                    mine.push(wish.id);
                }
                mine
            })
        })
        .collect();
    let mut taken = Vec::new();
    for claim in claims {
        taken.extend(claim.await.unwrap());
    }
    taken.sort();
    let all = taken.len();
    taken.dedup();
    assert_eq!((all, taken.len()), (20, 20), "each by one");
}
