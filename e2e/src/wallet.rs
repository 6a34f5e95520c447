//! A person's tokens, kept fresh as an app does.

use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::oidc::{App, LOCAL_ACCOUNTS, Token, Tokens};

/// A token with less than this left is renewed before it is used. More than the minute before its expiry in which a
/// socket is asked for another one.
const MARGIN: Duration = Duration::from_secs(75);
/// How long Dex may take. Whoever does not get a fresh token goes on with the one at hand.
const RENEWAL: Duration = Duration::from_secs(5);

/// A person who is signed in, and stays so. The person's clients share it: Dex keeps one refresh token for them.
pub struct Wallet {
    app: App,
    login: String,
    password: String,
    home: Ipv4Addr,
    held: Mutex<Held>,
}

struct Held {
    tokens: Tokens,
    issued: Instant,
    lives: Duration,
}

impl Held {
    fn new(tokens: Tokens) -> Result<Self> {
        let claims = tokens.access.claims()?;
        let lives = claims["exp"].as_u64().zip(claims["iat"].as_u64());
        let (until, from) = lives.context("a token has exp and iat")?;
        let lives = Duration::from_secs(until.saturating_sub(from));
        Ok(Self { tokens, issued: Instant::now(), lives })
    }

    fn left(&self) -> Duration {
        self.lives.saturating_sub(self.issued.elapsed())
    }
}

impl Wallet {
    /// Signs a person in, from a network of the person's own.
    pub async fn open(app: &App, login: &str, password: &str, home: Ipv4Addr) -> Result<Self> {
        let tokens = sign_in(app, login, password, home).await?;
        Ok(Self {
            app: app.clone(),
            login: login.to_owned(),
            password: password.to_owned(),
            home,
            held: Mutex::new(Held::new(tokens)?),
        })
    }

    /// A token that has some time left, if Dex can be asked; else the one at hand.
    pub async fn token(&self) -> Token {
        let mut held = self.held.lock().await;
        if held.left() < MARGIN {
            let _ = self.replace(&mut held).await;
        }
        held.tokens.access.clone()
    }

    /// A fresh token, because a socket's is about to expire.
    pub async fn renew(&self) -> Result<Token> {
        let mut held = self.held.lock().await;
        // Another of the person's sockets may have been first.
        if held.left() < MARGIN {
            self.replace(&mut held).await?;
        }
        Ok(held.tokens.access.clone())
    }

    /// Who the person is to the services.
    pub async fn subject(&self) -> Result<String> {
        let claims = self.held.lock().await.tokens.access.claims()?;
        Ok(claims["sub"].as_str().context("a token has a subject")?.to_owned())
    }

    /// How long ago the token at hand was issued.
    pub async fn age(&self) -> Duration {
        self.held.lock().await.issued.elapsed()
    }

    async fn replace(&self, held: &mut Held) -> Result<()> {
        let renewed = timeout(RENEWAL, async {
            match self.app.refresh(&held.tokens).await? {
                Ok(tokens) => Ok(tokens),
                // The answer to the last renewal may have been lost, and its refresh token with it.
                Err(_) => sign_in(&self.app, &self.login, &self.password, self.home).await,
            }
        });
        *held = Held::new(renewed.await.context("Dex does not answer")??)?;
        Ok(())
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Wallet").field(&self.login).finish()
    }
}

async fn sign_in(app: &App, login: &str, password: &str, home: Ipv4Addr) -> Result<Tokens> {
    app.sign_in_with(&app.browser_at(home)?, LOCAL_ACCOUNTS, login, password)
        .await
        .with_context(|| format!("{login} cannot sign in"))
}
