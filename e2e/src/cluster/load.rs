//! People who sign in and people who speak, while something is done to the cluster.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use devstack::console::say;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::stage::{PEOPLE, Stage};
use crate::chat::close::CUT;
use crate::faults::crew::{Crew, Members, Talk};
use crate::faults::scene::{Scene, home, person};
use crate::oidc::{App, LOCAL_ACCOUNTS};

/// How often somebody signs in.
const SIGN_IN: Duration = Duration::from_millis(500);
/// The one close that a client may see: the replica is leaving, and says so.
const DRAIN: u16 = 4001;

/// How long a crash may be felt: until the kubelet has seen it (it looks once a second), the Service's endpoints are
/// changed, and kube-proxy has changed the node's rules (once a second, too), on processors that are busy with all else.
const FELT: Duration = Duration::from_secs(10);

/// The time of the last crash of a pod.
///
/// No platform hides one from whoever is there: requests under way end without an answer, and until the Service leaves
/// the pod out, new connections are refused. So a login that begins within [`FELT`] of it may fail, and its person tries
/// until it succeeds. A login that begins later has to succeed at once: a Dex that went on asking a dead auth-connector,
/// or a Service that went on leading to a dead Dex, is a fault.
#[derive(Default)]
pub struct Crash(Mutex<Option<Instant>>);

impl Crash {
    /// It happens now.
    pub fn happens(&self) {
        *self.last() = Some(Instant::now());
    }

    /// Whether what began then and fails now may have felt it.
    fn is_felt(&self, began: Instant) -> bool {
        self.last().is_some_and(|last| began < last + FELT)
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has clients speak and listen and people sign in while the work is done, and judges: nothing lost, doubled or missing,
/// no login refused, no connection ended but by a replica that says that it leaves. With a crash connections may end
/// without a word, too, and logins as [`Crash`] says.
pub async fn under_load<T>(
    stage: &Stage,
    crash: Option<&Crash>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let scene = &stage.scene;
    let mut crew = Crew::empty(scene);
    crew.join(&Members { each: 2, replicas: vec![0], ..Members::people(0..PEOPLE) }).await?;
    let talk = Talk { pace: Duration::from_millis(200), ..Talk::lively(PEOPLE) };
    let mut logins = Logins { crash, ..Logins::default() };
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
    let Logins { succeeded, again, failed, .. } = &logins;
    say(format!("    logins {succeeded}, tried again {again}, failed {}", failed.len()));
    let allowed = |code: &&u16| **code == DRAIN || (crash.is_some() && **code == CUT);
    let mut findings = report.findings;
    let others: Vec<&u16> = report.figures.closes.keys().filter(|code| !allowed(code)).collect();
    if !others.is_empty() {
        findings.push(format!("connections ended with {others:?}"));
    }
    if let Some(first) = failed.first() {
        findings.push(format!("{} logins failed: {first}", failed.len()));
    }
    if *succeeded == 0 {
        findings.push("nobody signed in".to_owned());
    }
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    Ok(done)
}

#[derive(Default)]
struct Logins<'a> {
    crash: Option<&'a Crash>,
    succeeded: u64,
    again: u64,
    failed: Vec<String>,
}

impl Logins<'_> {
    /// Has people sign in one after another; they are others than those who speak, whose sessions it would end.
    async fn go_on(&mut self, scene: &Scene) -> Infallible {
        let mut ticks = interval(SIGN_IN);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in (PEOPLE..2 * PEOPLE).cycle() {
            ticks.tick().await;
            loop {
                let began = Instant::now();
                let Err(error) = sign_in(scene, number).await else {
                    self.succeeded += 1;
                    break;
                };
                if !self.crash.is_some_and(|crash| crash.is_felt(began)) {
                    self.failed.push(format!("{error:#}"));
                    break;
                }
                self.again += 1;
                ticks.tick().await;
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
