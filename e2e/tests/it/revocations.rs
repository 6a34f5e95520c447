//! An account is disabled: its sessions end at the connector at once, and then at Dex.

use anyhow::{Context as _, Result, ensure};
use auth_connector::account::AccountId;
use auth_connector::audit::{Entry, Event};
use auth_connector::store::Store;
use auth_proto::dex_api::dex_client::DexClient;
use auth_proto::dex_api::{ListRefreshReq, RefreshTokenRef};
use devstack::stack::StackOptions;
use e2e::oidc::{LOCAL_ACCOUNTS, Tokens};
use e2e::wait::until;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use service_process::sources::Sources;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::mtls::channel;
use crate::stage::{Stage, password};

/// A person of the tests, as operators know them.
struct Person<'a> {
    stage: &'a Stage,
    name: &'static str,
    account: AccountId,
    store: Store,
}

impl<'a> Person<'a> {
    async fn of(stage: &'a Stage, name: &'static str) -> Result<Self> {
        let dsn = &stage.stack.endpoints().postgres;
        let mut database = PgConnection::connect(dsn).await?;
        let id: String = sqlx::query_scalar("select id::text from users where username_key = $1")
            .bind(name)
            .fetch_one(&mut database)
            .await?;
        let store = Store::open(&dsn.clone().into())?;
        Ok(Self { stage, name, account: AccountId::parse(&id)?, store })
    }

    fn told(&self, event: Event) -> Entry {
        let sources = Sources::system();
        let now = (sources.now)();
        Entry::of_account(sources.id(now), now, event, self.account)
    }

    async fn sign_in(&self) -> Result<Tokens> {
        self.stage.app.sign_in(LOCAL_ACCOUNTS, self.name, &password(self.name)).await
    }

    async fn disable(&self) -> Result<()> {
        let entry = self.told(Event::AccountDisabled);
        let ended = Sources::system().id(entry.at);
        ensure!(self.store.disable(self.account, ended, &entry).await?);
        Ok(())
    }

    async fn enable(&self) -> Result<()> {
        let entry = self.told(Event::AccountEnabled);
        ensure!(self.store.enable(self.account, &entry).await?);
        Ok(())
    }

    /// What Dex keeps of the person; `sub` is the claim in the tokens.
    async fn kept(&self, sub: &str) -> Result<Vec<RefreshTokenRef>> {
        let stack = &self.stage.stack;
        let pki = &stack.pki().dex_admin;
        let channel = channel(pki, stack.ports().dex_admin, Some(&pki.client))?;
        let request = ListRefreshReq { user_id: sub.to_owned() };
        let answer = DexClient::new(channel).list_refresh(request).await?;
        Ok(answer.into_inner().refresh_tokens)
    }

    async fn forgotten(&self, sub: &str) -> Result<()> {
        until("Dex forgets the sessions", async || {
            let kept = self.kept(sub).await?;
            ensure!(kept.is_empty(), "it keeps {kept:?}");
            Ok(())
        })
        .await?;
        self.fulfilled().await
    }

    /// Nothing is left to do, and the trail says that it was done.
    async fn fulfilled(&self) -> Result<()> {
        until("the worker is done", async || {
            let (left, noted): (i64, i64) = sqlx::query_as(
                "select (select count(*) from due_work
                         where user_id = $1::uuid and kind = 'revocation' and finished_at is null),
                        (select count(*) from audit_events
                         where user_id = $1::uuid and event = 'sessions.ended')",
            )
            .bind(self.account.to_string())
            .fetch_one(&mut self.database().await?)
            .await?;
            ensure!((left, noted) == (0, 1), "{left} wishes, {noted} lines in the trail");
            Ok(())
        })
        .await
    }

    async fn database(&self) -> Result<PgConnection> {
        Ok(PgConnection::connect(&self.stage.stack.endpoints().postgres).await?)
    }

    /// The status with which Dex refuses this session.
    async fn refused(&self, tokens: &Tokens) -> Result<StatusCode> {
        let refusal = self.stage.app.refresh(tokens).await?.err().context("the session goes on")?;
        Ok(refusal.status)
    }
}

fn sub(tokens: &Tokens) -> Result<String> {
    Ok(tokens.id.claims()?["sub"].as_str().context("a token has a subject")?.to_owned())
}

#[tokio::test]
async fn a_disabled_persons_sessions_end_at_dex_and_later_ones_live() -> Result<()> {
    let stage = Stage::shared().await?;
    let person = Person::of(stage, "mike").await?;
    let tokens = person.sign_in().await?;
    let sub = sub(&tokens)?;
    assert_eq!(person.kept(&sub).await?.len(), 1);

    let request = stage.app.request();
    let (browser, password) = (stage.app.browser()?, password(person.name));
    let seen = browser.sign_in(&request.url, LOCAL_ACCOUNTS, person.name, &password).await?;
    let code = request.code(&seen.callback()?)?;
    person.disable().await?;
    // From the first moment, also while a token may be used again, and before Dex hears of it.
    assert_eq!(person.refused(&tokens).await?, StatusCode::BAD_REQUEST, "the session");
    let verifier = request.verifier.expose_secret();
    let refusal = stage.app.exchange(&code, verifier).await?.err().context("the code")?;
    assert_eq!(refusal.body["error"], "invalid_grant", "{refusal:?}");
    person.forgotten(&sub).await?;
    assert_eq!(person.refused(&tokens).await?, StatusCode::BAD_REQUEST, "sign in again");

    person.enable().await?;
    let tokens = person.sign_in().await?;
    stage.app.rotate(&tokens).await?;
    assert_eq!(person.kept(&sub).await?.len(), 1);
    let refusal = stage.app.exchange(&code, verifier).await?.err().context("the old code")?;
    assert_eq!(refusal.body["error"], "invalid_grant", "{refusal:?}");
    Ok(())
}

#[tokio::test]
async fn what_dex_missed_while_it_was_away_is_made_up_for() -> Result<()> {
    let stage = Stage::open(StackOptions::test(1)?).await?;
    let person = Person::of(&stage, "mike").await?;
    let tokens = person.sign_in().await?;
    let sub = sub(&tokens)?;

    let dex = stage.stack.part("dex")?;
    dex.stop().await;
    person.disable().await?;
    until("an attempt fails", async || {
        let mut database = person.database().await?;
        let attempts: i32 =
            sqlx::query_scalar("select failures from due_work where kind = 'revocation'")
                .fetch_one(&mut database)
                .await?;
        ensure!(attempts > 0, "it was not tried yet");
        Ok(())
    })
    .await?;
    dex.start().await?;
    person.forgotten(&sub).await?;
    assert_eq!(person.refused(&tokens).await?, StatusCode::BAD_REQUEST);
    Ok(())
}

#[tokio::test]
async fn a_wish_ends_no_session_that_began_after_it() -> Result<()> {
    let stage = Stage::shared().await?;
    let person = Person::of(stage, "peggy").await?;
    let tokens = person.sign_in().await?;
    let sub = sub(&tokens)?;
    let before = person.kept(&sub).await?;

    let mut database = person.database().await?;
    sqlx::query(
        "insert into due_work (id, kind, user_id, created_at, due_at)
         values (gen_random_uuid(), 'revocation', $1::uuid, now() - interval '1 minute', now())",
    )
    .bind(person.account.to_string())
    .execute(&mut database)
    .await?;
    person.fulfilled().await?;
    assert_eq!(person.kept(&sub).await?, before);
    stage.app.rotate(&tokens).await.map(drop)
}
