//! A stack with the people of the tests in it.

use anyhow::{Context as _, Result};
use devstack::name;
use devstack::stack::{Stack, StackOptions, User};
use e2e::archive::Archive;
use e2e::chat::Chat;
use e2e::oidc::{App, LOCAL_ACCOUNTS, Tokens};
use tokio::sync::OnceCell;

/// Dex keeps one refresh token per person and client, so a test that asks for one has a person to
/// itself.
const PEOPLE: [&str; 17] = [
    "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "ken", "laura", "mia",
    "mike", "nina", "oscar", "peggy", "quinn", "rupert",
];

/// A running stack, the SPA, and two people who are signed in.
pub(crate) struct Stage {
    pub(crate) stack: Stack,
    pub(crate) app: App,
    pub(crate) alice: Tokens,
    pub(crate) bob: Tokens,
}

impl Stage {
    /// The stack that tests share. It is not stopped: its parts die with the test program, and its
    /// files go with the run.
    pub(crate) async fn shared() -> Result<&'static Self> {
        static SHARED: OnceCell<Stage> = OnceCell::const_new();
        SHARED.get_or_try_init(async || Self::open(StackOptions::test(2)?).await).await
    }

    /// A stack of one's own.
    pub(crate) async fn open(mut options: StackOptions) -> Result<Self> {
        options.users.extend(PEOPLE.map(person));
        // On the heap: starting everything is a large future.
        let stack = Box::pin(Stack::launch(options)).await?;
        let app = App::spa(stack.endpoints()).await?;
        let [alice, bob, ..] = stack.endpoints().demo_users.as_slice() else {
            anyhow::bail!("there are no demo people");
        };
        let alice = app.sign_in(LOCAL_ACCOUNTS, &alice.login, &alice.password).await?;
        let bob = app.sign_in(LOCAL_ACCOUNTS, &bob.login, &bob.password).await?;
        Ok(Self { stack, app, alice, bob })
    }

    /// A stack that shares no server with others.
    pub(crate) async fn open_apart() -> Result<Self> {
        Self::open(StackOptions::apart(1)?).await
    }

    /// Somebody at a replica of the chat API, counted from 1.
    pub(crate) fn chat(&self, replica: usize, tokens: &Tokens) -> Result<Chat> {
        let replicas = &self.stack.endpoints().chat_replicas;
        let base = replicas.get(replica - 1).context("there is no such replica")?;
        Chat::new(base, &tokens.access)
    }

    /// The archive.
    pub(crate) async fn archive(&self) -> Result<Archive> {
        Archive::open(self.stack.endpoints()).await
    }
}

fn person(username: &str) -> User {
    let full_name = format!("{}{} Example", username[..1].to_uppercase(), &username[1..]);
    User::new(username, &full_name, &["staff"], &password(username))
}

/// The password of one of the tests' people.
pub(crate) fn password(username: &str) -> String {
    format!("{username} sings in the rain")
}

/// A beginning that only this test's messages have.
pub(crate) fn mark(test: &str) -> String {
    name::unique(test)
}
