//! One connection after another.

use rand::RngExt as _;
use tokio::time::sleep;

use super::connection::Connection;
use super::life::{End, Life};
use super::record::lock;
use crate::chat::close::{self, Then};

/// Comes back after any close that allows it, until nobody holds the client any more.
pub(super) async fn run(mut life: Life) {
    loop {
        // On the heap: every client has one, and most of them sleep.
        let end = Box::pin(Connection::live(&mut life)).await;
        life.interrupted();
        let then = match end {
            End::Over => return,
            End::Cut => {
                life.at = life.random.random_range(0..life.settings.replicas.len());
                Then::Return
            }
            End::Drained => Then::ReturnElsewhere,
            End::Failed => {
                lock(&life.record).failures += 1;
                Then::ReturnElsewhere
            }
            End::Closed(code, reason) => {
                *lock(&life.record).closes.entry(code).or_default() += 1;
                match close::after(code) {
                    Then::StayAway => return life.stay_away(&format!("{code} {reason}")),
                    then => then,
                }
            }
        };
        if then == Then::ReturnElsewhere {
            life.at += 1;
        }
        // Commands for a connection that is gone.
        while life.commands.try_recv().is_ok() {}
        if life.sayings.is_closed() && life.commands.is_closed() {
            return;
        }
        sleep(life.pause()).await;
    }
}
