//! Clients that speak and listen while something happens, and the report on them.

mod judging;
mod leavers;
mod members;
mod report;
mod talk;

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::mem;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures_util::future::{Either, join_all, select};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::figures::Figures;
use super::room::LoggedRoom;
use super::scene::Scene;
use crate::chat::client::{Acked, Client, Cut, Refused, Settings};
use crate::wait::until_after;
use talk::Speech;

pub use leavers::Leaver;
pub use members::Members;
pub(super) use report::PATIENCE;
pub use report::Report;
pub use talk::Talk;

/// One speaker in this many posts by REST and only listens on its socket.
const BY_REST: usize = 4;

/// Clients, and what they said.
pub struct Crew<'a> {
    scene: &'a Scene,
    /// Where they speak.
    room: &'a LoggedRoom,
    clients: Vec<Client>,
    leavers: Vec<Leaver>,
    lives: JoinSet<()>,
    said: Mutex<Said>,
    figures: Mutex<Figures>,
}

#[derive(Default)]
struct Said {
    sent: u64,
    acked: Vec<Acked>,
    refused: Vec<String>,
    /// Who waits for an answer, by their names.
    waiting: HashSet<String>,
    /// How often each was acknowledged.
    acks: HashMap<String, u64>,
}

impl<'a> Crew<'a> {
    /// A crew of people with one client each, all of them listening.
    pub async fn gather(scene: &'a Scene, people: usize) -> Result<Self> {
        let mut crew = Self::empty(scene);
        crew.join(&Members::people(0..people)).await?;
        Ok(crew)
    }

    /// A crew without anybody yet.
    #[must_use]
    pub fn empty(scene: &'a Scene) -> Self {
        Self::of_room(scene, &scene.lobby)
    }

    /// The same in another room than the lobby.
    #[must_use]
    pub fn of_room(scene: &'a Scene, room: &'a LoggedRoom) -> Self {
        Self {
            scene,
            room,
            clients: Vec::new(),
            leavers: Vec::new(),
            lives: JoinSet::new(),
            said: Mutex::default(),
            figures: Mutex::default(),
        }
    }

    /// Has members join, and waits until all of them listen. Gives their clients.
    pub async fn join(&mut self, members: &Members) -> Result<&[Client]> {
        let first = self.clients.len();
        // One after another: a hundred renewals at once take Dex longer than a client waits for its own.
        for person in members.people.clone() {
            self.scene.people.get(person).context("too few people")?.token().await;
        }
        self.admit(members)?;
        self.everybody_listens().await?;
        Ok(&self.clients[first..])
    }

    /// Has members join, who may take their time.
    pub fn admit(&mut self, members: &Members) -> Result<()> {
        for person in members.people.clone() {
            for number in 0..members.each {
                let client = self.client(person, person + number, members)?;
                self.clients.push(client);
            }
        }
        Ok(())
    }

    /// Has a guest join, who only hears, and waits until it listens.
    pub async fn join_guest(&mut self) -> Result<()> {
        let name = format!("client {}, a guest", self.clients.len());
        let settings = self.settings(&Members::people(0..0), 0);
        let guest = self.begin(Settings { name, ..settings });
        self.clients.push(guest);
        self.everybody_listens().await
    }

    /// A client of a person, which lives from now on and goes to that of the replicas first.
    fn client(&mut self, person: usize, home: usize, members: &Members) -> Result<Client> {
        let name = format!("client {} of person {person}", self.number());
        let wallet = self.scene.people.get(person).context("too few people")?.clone();
        let settings = self.settings(members, home);
        Ok(self.begin(Settings { name, wallet: Some(wallet), ..settings }))
    }

    /// The number of the next client.
    fn number(&self) -> usize {
        self.clients.len() + self.leavers.len()
    }

    /// What the next client is like, but for its name and whose it is.
    fn settings(&self, members: &Members, home: usize) -> Settings {
        let replicas = &self.scene.endpoints.chat_replicas;
        Settings {
            name: String::new(),
            replicas: members.replicas.iter().map(|index| replicas[*index].clone()).collect(),
            home,
            wallet: None,
            room: self.room.id.clone(),
            from: members.from,
            seed: self.scene.seed.wrapping_add(self.number() as u64),
            receive_buffer: members.receive_buffer,
            http: self.scene.http.clone(),
        }
    }

    fn begin(&mut self, settings: Settings) -> Client {
        let (client, life) = Client::new(settings);
        self.lives.spawn(life);
        client
    }

    /// Waits until everybody is connected and has caught up.
    pub async fn everybody_listens(&self) -> Result<()> {
        until_after(PATIENCE, "everybody listens", async || {
            let mut absent = self.clients.iter().filter(|client| !client.record().online);
            match absent.next() {
                None => Ok(()),
                Some(client) => {
                    let ended = client.record().ended.clone();
                    bail!("{} and {} more do not ({ended:?})", client.name(), absent.count())
                }
            }
        })
        .await
    }

    /// The clients of the crew.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Has the first ones speak until the work is done, and then until all is acknowledged. Who has no answer long
    /// after that is reported, and not waited for any more.
    pub async fn speak_while<T>(
        &self,
        talk: &Talk,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let speech = Speech::new(talk, u64::MAX);
        // On the heap: a scenario's work is a large future.
        let work = Box::pin(async {
            let done = work.await;
            speech.end();
            done
        });
        match select(work, pin!(self.all_speak(&speech))).await {
            Either::Left((done, speaking)) => {
                if timeout(PATIENCE, speaking).await.is_err() {
                    self.give_up_waiting();
                }
                done
            }
            // They have all ended for good, which the report tells.
            Either::Right(((), work)) => work.await,
        }
    }

    /// Has the first clients say this many messages, all of them acknowledged, whatever is done
    /// meanwhile.
    pub async fn say_all(
        &self,
        talk: &Talk,
        messages: u64,
        meanwhile: impl Future<Output = Infallible>,
    ) {
        let speech = Speech::new(talk, messages);
        tokio::select! {
            () = self.all_speak(&speech) => {}
            never = meanwhile => match never {},
        }
    }

    async fn all_speak(&self, speech: &Speech<'_>) {
        let speakers = self.clients.iter().take(speech.talk.speakers).enumerate();
        let speakers = speakers.map(|(number, client)| {
            let by_rest = number % BY_REST == BY_REST - 1;
            self.speak(client, by_rest, speech)
        });
        join_all(speakers).await;
    }

    async fn speak(&self, client: &Client, by_rest: bool, speech: &Speech<'_>) {
        let mut ticks = interval(speech.talk.pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(left) = speech.take() else { return };
            let content = format!("{left:020} of {} ", client.name());
            let content = content.repeat(speech.talk.size.div_ceil(content.len()));
            self.said().waiting.insert(client.name().to_owned());
            let outcome =
                if by_rest { client.post(&content).await } else { client.say(content).await };
            let gone = outcome.is_err() && client.record().ended.is_some();
            self.note(client, outcome);
            if gone {
                return;
            }
        }
    }

    /// Notes what became of a send.
    pub fn note(&self, client: &Client, outcome: Result<Acked, Refused>) {
        let mut said = self.said();
        said.sent += 1;
        said.waiting.remove(client.name());
        match outcome {
            Ok(acked) => {
                said.acked.push(acked);
                *said.acks.entry(client.name().to_owned()).or_default() += 1;
            }
            Err(Refused(why)) => said.refused.push(format!("{} was refused: {why}", client.name())),
        }
    }

    /// Notes who has no answer yet as refused, and by what it was put off.
    fn give_up_waiting(&self) {
        let waiting = mem::take(&mut self.said().waiting);
        let clients = self.clients.iter().filter(|client| waiting.contains(client.name()));
        for client in clients {
            let why = format!(
                "no answer {} s after the end, but {:?}",
                PATIENCE.as_secs(),
                client.record().refusals
            );
            self.note(client, Err(Refused(why)));
        }
    }

    /// Cuts somebody's connection now and then, each about once in a while.
    pub async fn cut_at_random(&self, each_once_in: Duration) -> Infallible {
        let mut random = StdRng::seed_from_u64(self.scene.seed);
        let pause = each_once_in / u32::try_from(self.clients.len()).unwrap_or(u32::MAX).max(1);
        loop {
            sleep(pause.mul_f64(2.0 * random.random::<f64>())).await;
            let client = &self.clients[random.random_range(0..self.clients.len())];
            let cut = if random.random_bool(0.75) { Cut::Abruptly } else { Cut::Politely };
            client.cut(cut).await;
        }
    }

    /// A disturbance is over: waits until what each speaker says from now on is acknowledged, it is archived, and
    /// everybody listens.
    pub async fn recovers(&self) -> Result<()> {
        self.figures().disturbances += 1;
        let (acks, mut archived) = (self.said().acks.clone(), None);
        let partition = self.room.partition;
        until_after(PATIENCE, "recovery", async || {
            let progress = self.scene.archive.progress(partition).await?;
            let before = *archived.get_or_insert(progress);
            ensure!(progress > before, "the archive stands at {progress}");
            let said = self.said();
            // Each at its own replica: one that does not recover is not to be hidden by the others.
            let mut speakers = said.acks.keys().chain(&said.waiting).peekable();
            ensure!(speakers.peek().is_some(), "nobody speaks");
            let unheard = speakers.find(|name| said.acks.get(*name) == acks.get(*name));
            ensure!(unheard.is_none(), "nothing is acknowledged to {unheard:?}");
            Ok(())
        })
        .await?;
        self.everybody_listens().await?;
        self.figures().recoveries += 1;
        Ok(())
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
