//! The proofs: what is looked at or done, and what is promised of it.

mod change;
mod install;
mod loss;
mod mistakes;
mod people;
mod policies;
mod rooms;

use anyhow::Result;
use futures_util::future::LocalBoxFuture;

use super::stage::Stage;

/// Something that is promised of the chart on a cluster.
#[derive(Clone, Copy)]
pub struct Proof {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// Proves it on a stage. What it proves leaves the stage as it was; what fails need not ([`Stage::restore`]).
    pub run: for<'a> fn(&'a mut Stage) -> LocalBoxFuture<'a, Result<()>>,
}

macro_rules! proof {
    ($name:literal, $run:path, $promise:literal) => {
        Proof { name: $name, promise: $promise, run: |stage| Box::pin($run(stage)) }
    };
}

/// Every proof, in the order they are made.
pub const ALL: [Proof; 18] = [
    proof!("helm-test", install::helm_test, "from nothing to a chart whose own test is green"),
    proof!(
        "restricted",
        install::restricted,
        "every pod is admitted at the strictest level of Pod Security"
    ),
    proof!("policies", policies::policies, "everything is denied but the ways that the parts need"),
    proof!("usage", install::usage, "what is requested is what is used, within twice"),
    proof!(
        "port-forward",
        people::port_forward,
        "kubectl port-forward is enough to sign in and to chat"
    ),
    proof!(
        "sign-up",
        people::sign_up,
        "a person without an account makes one on the way to the chat, by a code in the mail"
    ),
    proof!(
        "gate",
        people::gate,
        "Local Accounts go and come back, and everybody keeps the subject"
    ),
    proof!(
        "rooms",
        rooms::rooms,
        "a group of people at two pods ends for who is removed, and so it is for a pod that comes later"
    ),
    proof!("repeat", change::repeat, "migrations and seeds run again, and change nothing"),
    proof!("upgrade", change::upgrade, "new images lose no login and no message"),
    proof!("certificates", change::certificates, "certificates are replaced while people sign in"),
    proof!(
        "pod-killed",
        loss::pod_killed,
        "a process killed in each service costs who is there a second try, and no message"
    ),
    proof!(
        "evictions",
        loss::evictions,
        "pods that are evicted one by one cost no login and no message"
    ),
    proof!(
        "missing-secret",
        mistakes::missing_secret,
        "a Secret that is missing is named before anything is changed"
    ),
    proof!(
        "wrong-dsn",
        mistakes::wrong_dsn,
        "a job that finds no database fails in time and says why"
    ),
    proof!("no-kafka", mistakes::no_kafka, "so does a job that finds no broker"),
    proof!(
        "no-storage-class",
        mistakes::no_storage_class,
        "where nothing provides volumes, the notes of an installation say so"
    ),
    proof!(
        "contradictions",
        mistakes::contradictions,
        "values that cannot be meant are refused with a sentence"
    ),
];
