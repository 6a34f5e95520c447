//! People who sign in and people who speak, while something is done to the cluster.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use devstack::console::say;
use tokio::time::{MissedTickBehavior, interval};

use super::stage::{PEOPLE, Stage};
use crate::faults::crew::{Crew, Members, Talk};
use crate::faults::scene::{Scene, home, person};
use crate::oidc::{App, LOCAL_ACCOUNTS};

/// How often somebody signs in.
const SIGN_IN: Duration = Duration::from_millis(500);
/// The one close that a client may see: the replica is leaving, and says so.
const DRAIN: u16 = 4001;

/// Has clients speak and listen and people sign in while the work is done, and judges: nothing lost, doubled or missing,
/// no login refused, no connection ended but by a replica that says that it leaves. `cut` allows connections that end
/// without a word, as those of a killed replica do: and whoever was signing in there tries once more.
pub async fn under_load<T>(
    stage: &Stage,
    cut: bool,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let scene = &stage.scene;
    let mut crew = Crew::empty(scene);
    crew.join(&Members { each: 2, replicas: vec![0], ..Members::people(0..PEOPLE) }).await?;
    let talk = Talk { pace: Duration::from_millis(200), ..Talk::lively(PEOPLE) };
    let mut logins = Logins { may_try_again: cut, ..Logins::default() };
    let done = crew
        .speak_while(&talk, async {
            let done = tokio::select! {
                done = work => done?,
                never = logins.go_on(scene) => match never {},
            };
            // What is said after the work is done arrives, too.
            crew.recovers().await?;
            Ok(done)
        })
        .await?;
    let report = crew.judged().await?;
    say(report.figures.to_string());
    let Logins { done: signed_in, again, .. } = &logins;
    say(format!("    logins {signed_in}, tried again {again}, failed {}", logins.failed.len()));
    let allowed = |code: &&u16| **code == DRAIN || (cut && **code == crate::chat::close::CUT);
    let mut findings = report.findings;
    let others: Vec<&u16> = report.figures.closes.keys().filter(|code| !allowed(code)).collect();
    if !others.is_empty() {
        findings.push(format!("connections ended with {others:?}"));
    }
    if let Some(failed) = logins.failed.first() {
        findings.push(format!(
            "{} of {} logins failed: {failed}",
            logins.failed.len(),
            logins.done
        ));
    }
    ensure!(logins.done > 0, "nobody signed in");
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    Ok(done)
}

#[derive(Default)]
struct Logins {
    may_try_again: bool,
    done: u64,
    again: u64,
    failed: Vec<String>,
}

impl Logins {
    /// Has people sign in one after another; they are others than those who speak, whose sessions it would end.
    async fn go_on(&mut self, scene: &Scene) -> Infallible {
        let mut ticks = interval(SIGN_IN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in (PEOPLE..2 * PEOPLE).cycle() {
            ticks.tick().await;
            self.done += 1;
            let mut outcome = sign_in(scene, number).await;
            if outcome.is_err() && self.may_try_again {
                self.again += 1;
                outcome = sign_in(scene, number).await;
            }
            if let Err(error) = outcome {
                self.failed.push(format!("{error:#}"));
            }
        }
        unreachable!("a cycle has no end")
    }
}

async fn sign_in(scene: &Scene, number: usize) -> Result<()> {
    let user = person(number);
    let app = App::spa(&scene.endpoints).await?;
    let browser = app.browser_at(home(number)?)?;
    app.sign_in_with(&browser, LOCAL_ACCOUNTS, &user.username, &user.password).await.map(drop)
}
