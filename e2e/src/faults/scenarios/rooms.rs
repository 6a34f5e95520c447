//! What befalls the members of a room.

mod looks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use devstack::console::say;
use futures_util::future::try_join_all;
use http::StatusCode;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::chat::client::Cut;
use crate::chat::place::Place;
use crate::chat::{Chat, Reply};
use crate::faults::crew::{Crew, Leaver, Members, PATIENCE, Report, Talk};
use crate::faults::disturb::{self, Blow};
use crate::faults::room::{LoggedRoom, RoomLog};
use crate::faults::scale::Scale;
use crate::faults::stage::{REPLICAS, Stage};
use crate::wait::until_after;
use crate::wallet::Wallet;
use looks::{Look, Looks};

/// Less than the 15 s after which a server cuts who takes nothing, and long enough that what is said meanwhile is more
/// than the kernel takes in its place and than the hub's ring holds.
const STALL: Duration = Duration::from_secs(12);
/// How long requests lie at a replica that stands still before it goes on.
const ASKED: Duration = Duration::from_secs(1);
/// Which of the clients of somebody who leaves is the slow one: the first are one at each replica.
const SLOW: usize = REPLICAS;

/// Members are removed while others speak, and come again: while one of each member's clients takes nothing, and while a
/// replica stands still that is asked for the history as soon as it goes on.
pub(super) async fn member_removed(stage: &Stage, scale: Scale) -> Result<Report> {
    let (speakers, leavers) = (scale.of(4, 8), scale.of(2, 4));
    let staying = Members::people(0..speakers);
    let leaving = Members::people(speakers..speakers + leavers);
    let group = Group::make(stage, speakers + leavers).await?;
    for person in staying.people.clone().chain(leaving.people.clone()) {
        group.invite(person).await?;
    }
    let mut crew = Crew::of_room(stage, &group.room);
    crew.join(&staying).await?;
    // The kernel should not take much in the place of the slow ones.
    let slow = |person: usize| Members {
        people: person..person + 1,
        replicas: vec![person % REPLICAS],
        receive_buffer: Some(4096),
        ..leaving.clone()
    };
    for person in leaving.people.clone() {
        crew.join_for_a_while(&Members { people: person..person + 1, ..leaving.clone() }).await?;
        crew.join_for_a_while(&slow(person)).await?;
    }
    let talk = Talk { size: 8 * 1024, ..Talk::lively(speakers) };
    let found = crew.speak_while(&talk, async {
        let mut found = Found::default();
        for round in 0..scale.of(2, 6) {
            if round % 2 == 0 {
                group.removes_slow_ones(&crew, &mut found).await?;
            } else {
                group.removes_beside_a_frozen_replica(&crew, round % REPLICAS, &mut found).await?;
            }
            group.lets_in_again(&crew).await?;
        }
        group.removes(&crew, &[0, 1, 2], &mut found).await?;
        Ok(found)
    });
    let found = found.await?;
    let shut_out: u64 = crew.leavers().iter().map(Leaver::shut_out).sum();
    let Found { removals, overheard, looks, mut findings } = found;
    let Looks { gone, put_off, shown, beyond, findings: seen } = looks;
    findings.extend(seen);
    say(format!(
        "    removals {removals}; behind them heard {overheard}, shown {beyond}; subscriptions refused {shut_out}; \
         looks at the history: refused {gone}, put off {put_off}, up to the removal {shown}"
    ));
    if shut_out == 0 || gone == 0 {
        findings.push("nobody asked for more after a removal".to_owned());
    }
    let mut report = crew.judged().await?;
    report.findings.extend(findings);
    Ok(report)
}

/// A group whose owner invites and removes the others.
struct Group<'a> {
    stage: &'a Stage,
    room: LoggedRoom,
    owner: &'a Wallet,
}

/// What came of removals.
#[derive(Default)]
struct Found {
    removals: u64,
    /// Events behind the removal of whoever heard them.
    overheard: usize,
    looks: Looks,
    findings: Vec<String>,
}

impl<'a> Group<'a> {
    async fn make(stage: &'a Stage, owner: usize) -> Result<Self> {
        let owner = stage.people.get(owner).context("too few people")?;
        let chat = Chat::new(&stage.endpoints.chat_api, &owner.token().await)?;
        let made = chat.create_room("group", "Those who stay and those who go").await?;
        let place = Place::of(&made.cursor.context("a room that is made has a cursor")?)?;
        let room = LoggedRoom::new(&made.room_id, place.partition, &stage.messages);
        Ok(Self { stage, room, owner })
    }

    async fn at(&self, wallet: &Wallet, replica: usize) -> Result<Chat> {
        let replicas = &self.stage.endpoints.chat_replicas;
        Chat::new(&replicas[replica % replicas.len()], &wallet.token().await)
    }

    fn wallet(&self, person: usize) -> Result<&Arc<Wallet>> {
        self.stage.people.get(person).context("too few people")
    }

    /// Has somebody be a member. Gives the place from which on that is so.
    async fn invite(&self, person: usize) -> Result<i64> {
        let subject = self.wallet(person)?.subject().await?;
        let act =
            async |owner: &Chat| owner.put_member(&self.room.id, &subject, None).await.map(drop);
        self.until_logged("a member is invited", person, |log| log.in_since(&subject), act).await
    }

    /// The opposite.
    async fn remove(&self, person: usize, replica: usize) -> Result<i64> {
        let subject = self.wallet(person)?.subject().await?;
        let act = async |owner: &Chat| owner.end_member(&self.room.id, &subject).await.map(drop);
        self.until_logged("a member is removed", replica, |log| log.out_since(&subject), act).await
    }

    /// Has the owner do something at a replica until the log says that it is so: an answer may be late or be lost.
    async fn until_logged(
        &self,
        what: &str,
        replica: usize,
        since: impl Fn(&RoomLog) -> Option<i64>,
        act: impl AsyncFn(&Chat) -> Result<()>,
    ) -> Result<i64> {
        let owner = self.at(self.owner, replica).await?;
        until_after(PATIENCE, what, async || {
            if let Some(position) = since(&*self.room.log().await?) {
                return Ok(position);
            }
            act(&owner).await?;
            bail!("the log does not say so")
        })
        .await
    }

    /// Has the owner say something. Gives its cursor.
    async fn say(&self, replica: usize) -> Result<String> {
        let owner = self.at(self.owner, replica).await?;
        let said = until_after(PATIENCE, "the owner speaks", async || {
            owner.say_in(&self.room.id, "Where were we?").await
        });
        said.await?.cursor.context("the log told no place")
    }

    /// Removes everybody who comes and goes while one client of each takes nothing.
    async fn removes_slow_ones(&self, crew: &Crew<'_>, found: &mut Found) -> Result<()> {
        for leaver in crew.leavers().iter().skip(SLOW).step_by(SLOW + 1) {
            leaver.client.stall(STALL).await;
        }
        // What is said until then is on its way to them.
        sleep(STALL / 2).await;
        self.removes(crew, &[0, 1, 2], found).await
    }

    /// Removes them while a replica stands still; when it goes on, they have asked it for the history already.
    async fn removes_beside_a_frozen_replica(
        &self,
        crew: &Crew<'_>,
        frozen: usize,
        found: &mut Found,
    ) -> Result<()> {
        let part = self.stage.replica(frozen)?;
        let others = [frozen + 1, frozen + 2];
        disturb::take_away(part, Blow::Freeze).await?;
        let removals = self.removals(crew, &others).await?;
        let behind = self.say(others[0]).await?;
        let mut looks: JoinSet<Result<(Look, Reply)>> = JoinSet::new();
        for (person, removal) in &removals {
            let chat = self.at(self.wallet(*person)?, frozen).await?;
            for with in [None, Some(behind.clone())] {
                let look = Look { person: *person, replica: frozen, removal: *removal, with };
                let (chat, room) = (chat.clone(), self.room.id.clone());
                looks.spawn(async move { look.ask(&chat, &room).await });
            }
        }
        sleep(ASKED).await;
        disturb::bring_back(part, Blow::Freeze).await?;
        while let Some(look) = looks.join_next().await {
            let (look, reply) = look??;
            found.looks.take(&look, &reply)?;
        }
        self.are_out(crew, &removals, &behind, found).await?;
        crew.recovers().await
    }

    /// Removes everybody who comes and goes, at these replicas, and holds them to it.
    async fn removes(&self, crew: &Crew<'_>, replicas: &[usize], found: &mut Found) -> Result<()> {
        let removals = self.removals(crew, replicas).await?;
        let behind = self.say(0).await?;
        self.are_out(crew, &removals, &behind, found).await
    }

    /// Removes them, all at once. Gives the place of each removal, by person.
    async fn removals(&self, crew: &Crew<'_>, replicas: &[usize]) -> Result<BTreeMap<usize, i64>> {
        let people: BTreeSet<usize> = crew.leavers().iter().map(|leaver| leaver.person).collect();
        let removal = async |person: usize| {
            anyhow::Ok((person, self.remove(person, replicas[person % replicas.len()]).await?))
        };
        let removals = try_join_all(people.into_iter().map(removal)).await?;
        Ok(removals.into_iter().collect())
    }

    /// People were removed, and something was said behind it. Waits until everybody knows, has those who are out ask for
    /// more, and counts what they got.
    async fn are_out(
        &self,
        crew: &Crew<'_>,
        removals: &BTreeMap<usize, i64>,
        behind: &str,
        found: &mut Found,
    ) -> Result<()> {
        found.removals += removals.len() as u64;
        let before: Vec<u64> = crew.leavers().iter().map(Leaver::shut_out).collect();
        let removal_of = |leaver: &Leaver| removals.get(&leaver.person).copied().context("all go");
        // Every replica has read it then: somebody who stays listens at each.
        crew.everybody_has(Place::of(behind)?.position).await?;
        until_after(PATIENCE, "everybody who goes knows", async || {
            for (leaver, before) in crew.leavers().iter().zip(&before) {
                let (at, shut_out) = (leaver.at(), leaver.shut_out());
                let knows = at >= removal_of(leaver)? || shut_out > *before;
                ensure!(knows, "{} is at {at}", leaver.client.name());
            }
            Ok(())
        })
        .await?;
        self.are_refused(crew).await?;
        for (person, removal) in removals {
            for replica in 0..REPLICAS {
                let chat = self.at(self.wallet(*person)?, replica).await?;
                for with in [None, Some(behind.to_owned())] {
                    let look = Look { person: *person, replica, removal: *removal, with };
                    let (look, reply) = look.ask(&chat, &self.room.id).await?;
                    found.looks.take(&look, &reply)?;
                    if reply.status == StatusCode::OK {
                        let shown = format!("replica {replica} shows person {person} the room");
                        found.findings.push(format!("{shown}, and has read the removal"));
                    }
                }
            }
        }
        for leaver in crew.leavers() {
            let overheard = leaver.heard_behind(removal_of(leaver)?);
            if overheard > 0 {
                let name = leaver.client.name();
                found.findings.push(format!("{name} heard {overheard} events after its removal"));
            }
            found.overheard += overheard;
        }
        Ok(())
    }

    /// Has one client of each who is out come back, at a replica that knows of it, and waits until it is refused.
    async fn are_refused(&self, crew: &Crew<'_>) -> Result<()> {
        for (number, clients) in crew.leavers().chunks(SLOW + 1).enumerate() {
            let leaver = &clients[number % SLOW];
            let before = leaver.shut_out();
            leaver.client.cut(Cut::Abruptly).await;
            until_after(PATIENCE, "whoever comes back is refused", async || {
                let name = leaver.client.name();
                ensure!(leaver.shut_out() > before, "{name} is not");
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Invites everybody who was removed, and has each of their clients go on from where it was.
    async fn lets_in_again(&self, crew: &Crew<'_>) -> Result<()> {
        for clients in crew.leavers().chunks(SLOW + 1) {
            let person = clients.first().context("somebody has clients")?.person;
            let position = self.invite(person).await?;
            try_join_all(clients.iter().map(|leaver| leaver.goes_on(position))).await?;
        }
        Ok(())
    }
}
