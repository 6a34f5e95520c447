//! The scenarios: what happens, and what is promised of it.

mod archive;
mod broker;
mod clients;
mod replicas;
mod rooms;
mod sign_in;

use anyhow::Result;
use futures_util::future::LocalBoxFuture;

use super::crew::Report;
use super::scale::Scale;
use super::stage::Stage;

/// Something that happens to a stack while people speak.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is promised.
    pub promise: &'static str,
    /// Whether it is part of the short run.
    pub short: bool,
    /// Runs the scenario on a stage.
    pub run: for<'a> fn(&'a Stage, Scale) -> LocalBoxFuture<'a, Result<Report>>,
}

macro_rules! scenario {
    ($name:literal, $short:literal, $run:path, $promise:literal) => {
        Scenario {
            name: $name,
            promise: $promise,
            short: $short,
            run: |stage, scale| Box::pin($run(stage, scale)),
        }
    };
}

/// Every scenario, in the order they run. The clocks come second: they need tokens that are some
/// minutes old, and not too old.
pub const ALL: [Scenario; 16] = [
    scenario!(
        "disconnects",
        true,
        clients::disconnects,
        "clients that lose their connection at random end identical to the log"
    ),
    scenario!(
        "clock-skew",
        false,
        replicas::clock_skew,
        "replicas whose clocks differ by ten minutes agree on order and ids"
    ),
    scenario!(
        "key-retries",
        true,
        clients::key_retries,
        "one key sent at three replicas at once is one message"
    ),
    scenario!(
        "broker-kills",
        true,
        broker::kills,
        "a killed broker costs no acknowledged message and doubles none"
    ),
    scenario!(
        "broker-away",
        true,
        broker::away,
        "a frozen or stopped broker delays messages and loses none"
    ),
    scenario!(
        "archive-kills",
        true,
        archive::kills,
        "an archive reader killed in the middle of a batch stores everything once"
    ),
    scenario!(
        "mongodb-away",
        true,
        archive::mongodb_away,
        "without MongoDB messages go on, and it has them all later"
    ),
    scenario!(
        "poison",
        true,
        archive::poison,
        "records that nobody can read end in the dead letter queue and hold nothing up"
    ),
    scenario!(
        "rebalance-storm",
        false,
        archive::rebalance_storm,
        "readers that come and go make the archive neither lose nor repeat"
    ),
    scenario!(
        "replica-kill",
        true,
        replicas::kill,
        "the clients of a killed replica resume at the others, all at once"
    ),
    scenario!(
        "replica-frozen",
        false,
        replicas::frozen,
        "a replica that stands still is left, and does no harm when it goes on"
    ),
    scenario!(
        "rolling-restart",
        false,
        replicas::rolling_restart,
        "replicas restarted one after another lose no client's place"
    ),
    scenario!(
        "slow-client",
        false,
        clients::slow_client,
        "a client that takes nothing is let go, and resumes without a gap"
    ),
    scenario!(
        "member-removed",
        true,
        rooms::member_removed,
        "who is removed hears and reads nothing from there on, and who comes again everything"
    ),
    scenario!(
        "dex-away",
        false,
        sign_in::dex_away,
        "without Dex whoever is signed in goes on and comes back"
    ),
    scenario!(
        "postgresql-away",
        false,
        sign_in::postgresql_away,
        "without PostgreSQL the chat does not notice"
    ),
];
