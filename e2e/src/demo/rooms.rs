//! Three people, a group and a direct conversation, as a transcript of what each of them sees.
//!
//! The play has acts, each a function, in the order in which [`run`] has them: what rooms come to be able to do is another
//! act. After each thing that is done everybody is asked what they see of it, and who is to see nothing sees nothing.

use anyhow::{Context as _, Result, ensure};
use devstack::endpoints::Endpoints;
use serde_json::Value;

use super::place::{people, sign_in};
use super::show::{say, step};
use crate::chat::{Chat, Event, Listener};
use crate::oidc::App;
use crate::wait::until;

/// Somebody at a replica, who listens.
struct Person {
    login: String,
    id: String,
    chat: Chat,
    listener: Listener,
}

/// The three, in the order of the play.
struct Cast([Person; 3]);

/// Plays it on a running stack; the error names the step that failed and what was seen.
pub(super) async fn run(endpoints: &Endpoints) -> Result<()> {
    let app = step("Dex tells about itself", App::spa(endpoints)).await?;
    let [first, second, third] = people(endpoints)?;
    let replicas = &endpoints.chat_replicas;
    // The second one at another replica, if there is one.
    let at = |number: usize| replicas.get(number % replicas.len().max(1));
    let (here, there) =
        (at(0).unwrap_or(&endpoints.chat_api), at(1).unwrap_or(&endpoints.chat_api));
    let mut cast = Vec::with_capacity(3);
    for (user, replica) in [(first, here), (second, there), (third, here)] {
        let tokens = sign_in(&app, user).await?;
        let claims = tokens.access.claims()?;
        let id = claims["sub"].as_str().context("a token has a subject")?.to_owned();
        let chat = Chat::new(replica, &tokens.access)?;
        let what = format!("{} opens {replica}/v1/ws", user.login);
        let listener = step(&what, chat.connect()).await?;
        cast.push(Person { login: user.login.clone(), id, chat, listener });
    }
    let cast: Result<[Person; 3], _> = cast.try_into();
    let mut cast = Cast(cast.ok().context("three people were signed in")?);
    group(&mut cast).await?;
    direct(&mut cast).await
}

/// A group: people come, speak, and one is removed.
async fn group(cast: &mut Cast) -> Result<()> {
    title("A group");
    let [alice, bob, clara] = &mut cast.0;
    let room = alice.chat.create_room("group", "Harbour").await?.room_id;
    act(&alice.login, "makes the group Harbour");
    alice.hears(&room).await?;
    nobody_is_there(&[bob, clara], &room).await?;
    for number in [1, 2] {
        let subject = cast.0[number].id.clone();
        let [alice, ..] = &cast.0;
        let came = alice.chat.put_member(&room, &subject, None).await?;
        act(&alice.login, &format!("invites {}", cast.0[number].login));
        cast.0[number].comes(&room).await?;
        let those_before: Vec<usize> = (0..number).collect();
        cast.see(&those_before, cursor(&came)?).await?;
    }
    cast.says(0, &room, "Shall we meet at the harbour?", &[0, 1, 2]).await?;
    cast.says(1, &room, "At eight. Is that too early for you?", &[0, 1, 2]).await?;
    cast.says(2, &room, "I would rather go to the hills.", &[0, 1, 2]).await?;

    let [alice, _, clara] = &cast.0;
    let gone = alice.chat.end_member(&room, &clara.id).await?;
    act(&alice.login, &format!("removes {}", clara.login));
    cast.see(&[0, 1, 2], cursor(&gone)?).await?;
    cast.says(0, &room, "Eight it is.", &[0, 1]).await?;
    let [.., clara] = &cast.0;
    nobody_is_there(&[clara], &room).await
}

/// A direct conversation: two people, and nobody else.
async fn direct(cast: &mut Cast) -> Result<()> {
    title("A direct conversation");
    let [alice, bob, _] = &mut cast.0;
    let room = bob.chat.direct(&alice.id).await?.room_id;
    act(&bob.login, &format!("opens the conversation with {}", alice.login));
    bob.hears(&room).await?;
    alice.comes(&room).await?;
    let [.., clara] = &cast.0;
    nobody_is_there(&[clara], &room).await?;
    cast.says(1, &room, "Was that too hard on Clara?", &[0, 1]).await?;
    cast.says(0, &room, "I will ask her to come again.", &[0, 1]).await
}

impl Person {
    /// Hears a room from now on, at once.
    async fn hears(&mut self, room: &str) -> Result<()> {
        self.listener.hear(room).await
    }

    /// The same as soon as the replica knows that this person is in it.
    async fn comes(&mut self, room: &str) -> Result<()> {
        let chat = &self.chat;
        until("the replica knows the member", async || {
            chat.room(room).await?.context("there is no such room").map(drop)
        })
        .await?;
        self.hears(room).await
    }
}

impl Cast {
    /// Has somebody say something, and shows what these see; to the others it is nothing.
    async fn says(
        &mut self,
        who: usize,
        room: &str,
        content: &str,
        seen_by: &[usize],
    ) -> Result<()> {
        let person = &self.0[who];
        let said = person.chat.say_in(room, content).await?;
        act(&person.login, &format!("says: {content}"));
        self.see(seen_by, &said.cursor.context("the log told no place")?).await
    }

    /// Shows what these people see at a place, and that the others see nothing.
    async fn see(&mut self, seen_by: &[usize], cursor: &str) -> Result<()> {
        let names: Vec<(String, String)> =
            self.0.iter().map(|person| (person.id.clone(), person.login.clone())).collect();
        for (number, person) in self.0.iter_mut().enumerate() {
            let sees = if seen_by.contains(&number) {
                let event = person.listener.event(|event| event.cursor == cursor).await;
                words(&event.with_context(|| format!("{} sees nothing", person.login))?, &names)
            } else {
                let quiet = person.listener.is_quiet().await;
                quiet.with_context(|| format!("{} is to see nothing", person.login))?;
                "–".to_owned()
            };
            say(&format!("            {:<6} sees  {sees}", person.login));
        }
        Ok(())
    }
}

/// An event as people would be shown it.
fn words(event: &Event, names: &[(String, String)]) -> String {
    let Event { envelope, .. } = event;
    let text = |field: &str| envelope[field].as_str().unwrap_or_default();
    let known = names.iter().find(|(id, _)| envelope["subject"] == Value::String(id.clone()));
    let subject = known.map_or_else(|| text("subject").to_owned(), |(_, login)| login.clone());
    match (text("type"), text("act")) {
        ("message", _) => format!("{}: {}", text("user_name"), text("content")),
        ("member", "invite") => format!("{} has let {subject} in", text("user_name")),
        ("member", "remove") => format!("{} has removed {subject}", text("user_name")),
        (kind, act) => format!("{kind} {act} by {}", text("user_name")),
    }
}

/// Fails unless to all of these there is no such room.
async fn nobody_is_there(people: &[&Person], room: &str) -> Result<()> {
    for person in people {
        let login = &person.login;
        until("a replica knows who is not in the room", async || {
            let shown = person.chat.room(room).await?;
            ensure!(shown.is_none(), "{login} is shown {shown:?}");
            Ok(())
        })
        .await?;
        say(&format!("            {login:<6} asks for the room: there is none"));
    }
    Ok(())
}

fn cursor(answer: &Value) -> Result<&str> {
    answer["cursor"].as_str().context("what was done has a place")
}

fn title(title: &str) {
    say(&format!("\n── {title}"));
}

fn act(who: &str, does: &str) {
    say(&format!("    {who} {does}"));
}
